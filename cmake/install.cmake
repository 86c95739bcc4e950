# Nothing here yet that needs more than the standard places.
