"""A shop with customers, orders and staff in PostgreSQL: the databases of the demo's and the tour's exports."""

from bot.playground.shop.databases import ShopDatabases, running_shop

__all__ = ["ShopDatabases", "running_shop"]
