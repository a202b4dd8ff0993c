"""How a bundle is served and used: the service, its storage, the client and the command line."""

__all__: list[str] = []
