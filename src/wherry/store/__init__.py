"""Image ⇄ places: layouts, archives, engines, registries, and wherry's own store."""
