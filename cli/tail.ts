import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 64 * 1024;
/** A line that is longer is shown in pieces: it is hardly for reading. */
const LINE_CHARS_MAX = 2000;

/** What a growing file has to say since it was last asked. */
export interface Tail {
  /** The lines that came to their end since the last call. */
  lines(): readonly string[];
  /** All that came, whether the last line has come to its end or not. */
  rest(): readonly string[];
}

/** Follows a file that grows. */
export function tailOf(path: string): Tail {
  let position = 0;
  let open = '';

  function take(isEnd: boolean): readonly string[] {
    const chunk = readFrom(path, position);
    position += chunk.length;
    const lines = (open + chunk.toString('utf8')).split('\n');
    open = lines.pop() ?? '';
    if (open !== '' && (isEnd || open.length > LINE_CHARS_MAX)) {
      lines.push(open);
      open = '';
    }
    return lines;
  }

  return { lines: () => take(false), rest: () => take(true) };
}

/** The last lines of a file, for telling what a job said before it ended. */
export function lastLines(path: string, count: number): readonly string[] {
  const bytes = readFrom(path, -CHUNK_BYTES);
  const lines = bytes.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.slice(-count).map((line) => line.slice(-LINE_CHARS_MAX));
}

/** A chunk of a file from there on; a negative position counts from the end. */
function readFrom(path: string, position: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0);
  const file = openSync(path, 'r');
  try {
    const start = position < 0 ? Math.max(0, fstatSync(file).size + position) : position;
    const buffer = Buffer.alloc(CHUNK_BYTES);
    return buffer.subarray(0, readSync(file, buffer, 0, CHUNK_BYTES, start));
  } finally {
    closeSync(file);
  }
}
