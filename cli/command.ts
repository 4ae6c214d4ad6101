import type { Io } from './io';

/** One command: what it is called, what it takes, what it does. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** `<run>`: needed; `[run]`: may be left out. */
  readonly argument?: string;
  readonly options: readonly Option[];
  /** Gives the exit code: 0 done, 1 the run or the request failed, 2 wrong usage. */
  run(args: Args, io: Io): Promise<number>;
}

export interface Option {
  /** In commander's form: `--speed <factor>`. */
  readonly flags: string;
  readonly about: string;
  readonly parse?: (text: string) => unknown;
  readonly default?: unknown;
}

/** What was typed, under the names of the flags in camelCase; the argument is `argument`. */
export interface Args {
  readonly [name: string]: unknown;
  readonly argument?: string;
  readonly home: string;
  readonly json: boolean;
}

/** Something the person has to mend: shown without a stack, exit code 2. */
export class UsageError extends Error {}
