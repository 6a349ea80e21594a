"""Generated modules of the SDK: enums from the server's contract, asynchronous resources from the synchronous ones."""
