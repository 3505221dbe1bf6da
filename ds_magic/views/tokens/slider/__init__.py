"""The slider: one place at whatever temperature and cuts its reader sets, computed in the page."""
