/** Longest that a call waits for slow machines where it need not: it answers, or goes on, with what is known by then. */
export const PATIENCE_MS = 3_000;

/** The same for a call that only looks: the poller sees to it that what the store holds is not old. */
export const LOOK_PATIENCE_MS = 250;

/** The same for one that ends something: clients cut a call off after a minute, and machines may take longer than that. */
export const ENDING_PATIENCE_MS = 40_000;
