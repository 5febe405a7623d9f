"""Delivery status notifications (RFC 3464): read, and composed."""
