import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type RunEvent, replay } from '../events';

/** Where the local cloud keeps everything: journals, storage, buckets, logs, the lock. */
export interface Home {
  readonly path: string;
  readonly volumes: string;
  readonly fileSystems: string;
  readonly buckets: string;
  readonly logs: string;
  readonly bin: string;
  /** Everything of one storage, named as hosts name it: `vol-…` or `fs-…@<mountName>`. */
  folderOf(storage: string): string;
  /** What a job sees of a storage. */
  dataOf(storage: string): string;
  /** The whole tree of a file system. */
  rootOf(fileSystemId: string): string;
  /** What a job sees as its input; only file systems have that. */
  inputOf(storage: string): string;
}

export function homeAt(path: string): Home {
  const volumes = join(path, 'volumes');
  const fileSystems = join(path, 'file-systems');
  const folderOf = (storage: string) => {
    const [id = ''] = storage.split('@');
    return join(id.startsWith('fs-') ? fileSystems : volumes, id);
  };
  return {
    path,
    volumes,
    fileSystems,
    buckets: join(path, 'buckets'),
    logs: join(path, 'logs'),
    bin: join(path, 'bin'),
    folderOf,
    dataOf: (storage) =>
      join(folderOf(storage), storage.startsWith('fs-') ? join('root', 'scratch') : 'data'),
    rootOf: (fileSystemId) => join(folderOf(fileSystemId), 'root'),
    inputOf: (storage) => join(folderOf(storage), 'root', 'input'),
  };
}

/** Makes the folders, and the `aws` that jobs find on their PATH. */
export function furnish(home: Home, names: readonly string[]): void {
  const { path, volumes, fileSystems, buckets, logs, bin } = home;
  const folders = ['runs', 'hosts', 'inbox', 'dead-letters'].map((name) => join(path, name));
  const places = [volumes, fileSystems, ...names.map((name) => join(buckets, name)), logs, bin];
  for (const folder of [...folders, ...places]) {
    mkdirSync(folder, { recursive: true });
  }
  reserve(home);
  // What a killed upload left half-way; nothing runs while the place is taken anew.
  rmSync(join(buckets, '.incoming'), { recursive: true, force: true });
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const program = `${quoted(process.execPath)} ${quoted(join(__dirname, 'local-aws.js'))}`;
  durably(home, () => writeFileSync(join(bin, 'aws'), `#!/bin/sh\nexec ${program} "$@"\n`));
  chmodSync(join(bin, 'aws'), 0o755);
}

/** The journals of a home: one line of JSON per commit, a list of events, appended before it counts. */
export interface Journals {
  append(events: readonly RunEvent[]): void;
  read(runId: string): readonly RunEvent[];
  ids(): readonly string[];
}

export function journalsIn(home: Home): Journals {
  const folder = join(home.path, 'runs');
  const fileOf = (runId: string) => join(folder, `${runId}.jsonl`);
  return {
    append(events) {
      const [first] = events;
      if (first) appendLine(home, fileOf(first.runId), events);
    },
    read(runId) {
      try {
        const events = readLines<readonly RunEvent[]>(fileOf(runId)).flat();
        replay(events);
        return events;
      } catch (cause) {
        const { message } = cause as Error;
        const remedy =
          'move that file away, and its storage is left alone (ebb local leaks shows it); or remove everything with ebb local reset';
        throw new Error(`${fileOf(runId)} is no journal of a run: ${message}; ${remedy}`, {
          cause,
        });
      }
    },
    ids() {
      if (!existsSync(folder)) return [];
      const names = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
      return names.map((name) => name.slice(0, -'.jsonl'.length)).sort();
    },
  };
}

/** Adds a value to a file of lines. What a kill tore off before is cut away first: it never counted. */
export function appendLine(home: Home, path: string, value: unknown): void {
  durably(home, () => {
    const whole = existsSync(path) ? wholeLines(readFileSync(path)) : 0;
    if (existsSync(path) && statSync(path).size > whole) truncateSync(path, whole);
    appendFileSync(path, `${JSON.stringify(value)}\n`);
  });
}

/** The values of a file of lines; none where there is no file. */
export function readLines<Value>(path: string): Value[] {
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  const lines = bytes.subarray(0, wholeLines(bytes)).toString('utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

/** How many bytes of it are lines that were written to their end. */
function wholeLines(bytes: Buffer): number {
  return bytes.lastIndexOf('\n') + 1;
}

const RESERVE = 'reserve';
const RESERVE_BYTES = 1024 * 1024;

/**
 * Writes of our own, on a disk that a job may have filled: the reserve is given up for them once. A
 * job that fills its disk fails, and its run must still be told of.
 */
export function durably(home: Home, write: () => void): void {
  try {
    write();
  } catch (error) {
    const reserve = join(home.path, RESERVE);
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC' || !existsSync(reserve)) throw error;
    rmSync(reserve);
    write();
  }
}

/** Sets space aside; where there is none, there is none. */
function reserve({ path }: Home): void {
  try {
    writeFileSync(join(path, RESERVE), Buffer.alloc(RESERVE_BYTES));
  } catch {
    rmSync(join(path, RESERVE), { force: true });
  }
}

/** A file is there whole or not at all, whenever we are killed. */
export function writeWhole(path: string, content: string): void {
  const draft = `${path}.draft`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}
