"""Who and where, and the site itself: accounts, parks, lakes, rights, settings, wiring."""
