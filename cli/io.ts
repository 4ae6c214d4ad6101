import { styleText } from 'node:util';

/** What a command has of the world of its caller. */
export interface Io {
  /** Data: what somebody may pipe on. */
  out(text: string): void;
  /** Everything else. */
  say(text: string): void;
  /** One line that changes in place; only on a terminal, and nothing elsewhere. */
  status(text: string): void;
  /** Colours for a terminal; the text as it is elsewhere. */
  readonly style: (style: Style, text: string) => string;
}

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** The terminal, or the pipe, that this process was given. */
export function processIo(): Io {
  const { stdout, stderr, env } = process;
  const isTerminal = stderr.isTTY === true;
  const hasColour = isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';
  // What was written to a pipe that somebody closed (`| head`) is of no interest to anybody.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  let isStatusShown = false;

  function clear(): void {
    if (isStatusShown) stderr.write('\r\x1b[2K');
    isStatusShown = false;
  }

  const columns = stderr.columns || 100;
  return {
    out(text) {
      clear();
      stdout.write(`${text}\n`);
    },
    say(text) {
      clear();
      stderr.write(`${text}\n`);
    },
    status(text) {
      if (!isTerminal || env.TERM === 'dumb') return;
      clear();
      if (text === '') return;
      // A line that wraps cannot be taken back.
      stderr.write(text.length < columns ? text : `${text.slice(0, columns - 2)}…`);
      isStatusShown = true;
    },
    style: (style, text) => (hasColour ? styleText(style, text, { validateStream: false }) : text),
  };
}
