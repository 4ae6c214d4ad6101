import { closeSync, existsSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 64 * 1024;

/** Follows a file that grows: each call gives the whole lines that came since the last one. */
export function tailOf(path: string): () => readonly string[] {
  let position = 0;
  let rest = '';
  return () => {
    const chunk = readFrom(path, position);
    position += chunk.length;
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    return lines;
  };
}

/** The last lines of a file, for telling what a job said before it ended. */
export function lastLines(path: string, count: number): readonly string[] {
  const read = tailOf(path);
  let last: string[] = [];
  for (let lines = read(); lines.length > 0; lines = read())
    last = [...last, ...lines].slice(-count);
  return last;
}

function readFrom(path: string, position: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0);
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    return buffer.subarray(0, readSync(file, buffer, 0, CHUNK_BYTES, position));
  } finally {
    closeSync(file);
  }
}
