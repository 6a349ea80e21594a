"""The admin console: one module or folder for each page, templates of the same name."""
