/** Longest that a call waits for slow machines where it need not: it answers, or goes on, with what is known by then. */
export const PATIENCE_MS = 3_000;
