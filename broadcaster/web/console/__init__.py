"""The console: pages for staff. Each page is a module with a `router`; see docs/console.md."""
