/** The closed list of codes that a tool's error may carry. */
export const ERROR_CODES = {
  invalid_input: 'The arguments do not fit the tool.',
  not_found: 'An experiment, wave or cluster of that name does not exist here.',
  invalid_project: 'The project folder, its autoresearch.yaml or its task cannot be used.',
  invalid_code: 'The changed code cannot run: an unknown constant, an edit that does not match, a syntax error.',
  too_large: 'The snapshot is larger than what may travel to a cluster.',
  not_ours: 'The cluster was not launched by this campaign.',
  over_budget: 'A limit of autoresearch.yaml would be passed.',
  no_capacity: 'No cluster runs and none can be launched.',
  duplicate: 'Everything that was asked for has been run before.',
  backend_failed: 'The machines, or the program that manages them, refused.',
  backend_down: 'The program that manages the machines does not answer; what runs there goes on.',
  state_damaged: 'A file under .autoresearch/ cannot be read and could not be rebuilt.',
  state_locked: 'Another process holds the state of this project.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What happened, with its values, and what to do next. Thrown when a whole call failed; one item of many is data. */
export class AutoresearchError extends Error {
  override readonly name = 'AutoresearchError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
