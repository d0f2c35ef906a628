/** Shorter values turn up in text by chance. */
const SHORTEST = 8;

const SECRET_NAME = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;

export interface Secret {
  readonly name: string;
  readonly value: string;
}

/** The variables of an environment that look like secrets by their names, the longest value first. */
export const secretsOf = (environment: Readonly<Record<string, string | undefined>>): Secret[] =>
  Object.entries(environment)
    .flatMap(([name, value]) => (SECRET_NAME.test(name) && value && value.length >= SHORTEST ? [{ name, value }] : []))
    .sort((a, b) => b.value.length - a.value.length);

/** A job may print its environment: what it must not show is replaced before the log is kept or read. */
export const redacted = (text: string, secrets: readonly Secret[]): string =>
  secrets.reduce((clean, { name, value }) => clean.replaceAll(value, `[${name}]`), text);
