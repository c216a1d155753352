/** Starts the page. */
