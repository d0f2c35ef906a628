export interface CodeFile {
  readonly path: string;
  readonly content: string;
}

export interface SyntaxProblem {
  /** Index in the list that was checked. */
  readonly index: number;
  /** Python's own words, with the line: `train.py, line 12: invalid syntax: x = = 1`. */
  readonly message: string;
}

/** Says before a GPU is paid for whether code compiles. */
export interface CodeChecker {
  /** Problems of files that do not compile; null where there is no interpreter to ask. */
  check(files: readonly CodeFile[]): Promise<SyntaxProblem[] | null>;
}
