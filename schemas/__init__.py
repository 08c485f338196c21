"""Data that crosses a boundary: events, alert content, areas, dispatches, receipts. No I/O."""
