"""The Protocols that the adapters fulfil, one file an adapter; the services know nothing else of them."""
