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
import type { Marker } from './claim';
import type { Markers } from './hosts';
import type { Disks, LocalVolume } from './volumes';

/** Where the local cloud keeps everything: journals, volumes, buckets, logs, the lock. */
export interface Home {
  readonly path: string;
  readonly volumes: string;
  readonly buckets: string;
  readonly logs: string;
  readonly bin: string;
  /** What a job sees of a volume. */
  dataOf(volumeId: string): string;
}

export function homeAt(path: string): Home {
  const volumes = join(path, 'volumes');
  return {
    path,
    volumes,
    buckets: join(path, 'buckets'),
    logs: join(path, 'logs'),
    bin: join(path, 'bin'),
    dataOf: (volumeId) => join(volumes, volumeId, 'data'),
  };
}

/** Makes the folders, and the `aws` that jobs find on their PATH. */
export function furnish(home: Home, bucket: string): void {
  const { path, volumes, buckets, logs, bin } = home;
  const folders = ['runs', 'hosts'].map((name) => join(path, name));
  for (const folder of [...folders, volumes, join(buckets, bucket), logs, bin]) {
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
        const remedy = 'remove that file, or everything with ebb local reset';
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
function durably(home: Home, write: () => void): void {
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

/** Volumes as folders: a note of what the volume is, the marker, and the data that the job sees. */
export function disksIn(home: Home): Disks & { read(): readonly LocalVolume[] } {
  const { volumes, dataOf } = home;
  const noteOf = (volumeId: string) => join(volumes, volumeId, 'volume.json');
  return {
    save(volume) {
      durably(home, () => {
        mkdirSync(dataOf(volume.volumeId), { recursive: true });
        writeWhole(noteOf(volume.volumeId), JSON.stringify(volume, null, 2));
      });
    },
    remove: (volumeId) => rmSync(join(volumes, volumeId), { recursive: true, force: true }),
    read() {
      if (!existsSync(volumes)) return [];
      return readdirSync(volumes).flatMap((volumeId) => {
        if (!existsSync(noteOf(volumeId))) return [];
        const volume: LocalVolume = JSON.parse(readFileSync(noteOf(volumeId), 'utf8'));
        // The hosts of an earlier session are gone, and whatever was under way with them.
        const free = { state: 'available', host: undefined, isDetaching: false } as const;
        return [{ ...volume, ...free }];
      });
    },
  };
}

/** Markers beside the data, where the job does not look. */
export function markersIn(home: Home): Markers {
  const { volumes } = home;
  const fileOf = (volumeId: string) => join(volumes, volumeId, 'marker.json');
  return {
    read(volumeId): Marker | undefined {
      if (!existsSync(fileOf(volumeId))) return undefined;
      return JSON.parse(readFileSync(fileOf(volumeId), 'utf8'));
    },
    write(volumeId, marker) {
      if (!existsSync(join(volumes, volumeId))) return;
      durably(home, () => writeWhole(fileOf(volumeId), JSON.stringify(marker, null, 2)));
    },
  };
}

/** A file is there whole or not at all, whenever we are killed. */
function writeWhole(path: string, content: string): void {
  const draft = `${path}.draft`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}
