import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

/** Which files S3 has, and as they were when: remembered on disk, a line each. */
export interface KnownFiles {
  get(path: string): string | undefined;
  set(path: string, stamp: string): void;
  /** S3 has it no more. */
  delete(path: string): void;
  paths(): readonly string[];
}

/** A stamp; null: S3 has the file no more. */
type Line = readonly [path: string, stamp: string | null];

/**
 * Opens the memory in a file. A line that was torn off never counted: its file is brought again, or its
 * object removed again.
 */
export function knownFiles(file: string): KnownFiles {
  const stamps = new Map<string, string>();
  for (const [path, stamp] of existsSync(file) ? wholeLines(readFileSync(file, 'utf8')) : []) {
    if (stamp === null) stamps.delete(path);
    else stamps.set(path, stamp);
  }
  if (stamps.size > 0) {
    // Written anew: the last word on each file, and no torn line before the next one.
    writeFileSync(`${file}.new`, [...stamps].map((each) => `${JSON.stringify(each)}\n`).join(''));
    renameSync(`${file}.new`, file);
  } else rmSync(file, { force: true });
  const add = (line: Line) => appendFileSync(file, `${JSON.stringify(line)}\n`);
  return {
    get: (path) => stamps.get(path),
    set(path, stamp) {
      stamps.set(path, stamp);
      add([path, stamp]);
    },
    delete(path) {
      if (stamps.delete(path)) add([path, null]);
    },
    paths: () => [...stamps.keys()],
  };
}

function wholeLines(text: string): Line[] {
  // What stands behind the last line's end is nothing, or was torn off. Only this module writes the
  // file, and it writes pairs.
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}
