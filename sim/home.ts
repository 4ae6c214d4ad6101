import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../events';
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
export function furnish({ path, volumes, buckets, logs, bin }: Home, bucket: string): void {
  for (const folder of [join(path, 'runs'), volumes, join(buckets, bucket), logs, bin]) {
    mkdirSync(folder, { recursive: true });
  }
  // What a killed upload left half-way; nothing runs while the place is taken anew.
  rmSync(join(buckets, '.incoming'), { recursive: true, force: true });
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const program = `${quoted(process.execPath)} ${quoted(join(__dirname, 'local-aws.js'))}`;
  writeFileSync(join(bin, 'aws'), `#!/bin/sh\nexec ${program} "$@"\n`);
  chmodSync(join(bin, 'aws'), 0o755);
}

/** The journals of a home: one line of JSON per event, appended before the event counts. */
export interface Journals {
  append(events: readonly RunEvent[]): void;
  read(runId: string): readonly RunEvent[];
  ids(): readonly string[];
}

export function journalsIn({ path }: Home): Journals {
  const folder = join(path, 'runs');
  const fileOf = (runId: string) => join(folder, `${runId}.jsonl`);
  return {
    append(events) {
      const [first] = events;
      if (!first) return;
      const lines = events.map((event) => `${JSON.stringify(event)}\n`);
      appendFileSync(fileOf(first.runId), lines.join(''));
    },
    read(runId) {
      if (!existsSync(fileOf(runId))) return [];
      const lines = readFileSync(fileOf(runId), 'utf8').split('\n');
      // What follows the last newline was torn by a kill: that commit never happened.
      return lines.slice(0, -1).map((line) => JSON.parse(line));
    },
    ids() {
      if (!existsSync(folder)) return [];
      const names = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
      return names.map((name) => name.slice(0, -'.jsonl'.length)).sort();
    },
  };
}

/** Volumes as folders: a note of what the volume is, the marker, and the data that the job sees. */
export function disksIn({ volumes, dataOf }: Home): Disks & { read(): readonly LocalVolume[] } {
  const noteOf = (volumeId: string) => join(volumes, volumeId, 'volume.json');
  return {
    save(volume) {
      mkdirSync(dataOf(volume.volumeId), { recursive: true });
      writeWhole(noteOf(volume.volumeId), JSON.stringify(volume, null, 2));
    },
    remove: (volumeId) => rmSync(join(volumes, volumeId), { recursive: true, force: true }),
    read() {
      if (!existsSync(volumes)) return [];
      return readdirSync(volumes).flatMap((volumeId) => {
        if (!existsSync(noteOf(volumeId))) return [];
        const volume: LocalVolume = JSON.parse(readFileSync(noteOf(volumeId), 'utf8'));
        // The hosts of an earlier session are gone, and whatever was under way with them.
        return [{ ...volume, state: 'available' as const, host: undefined }];
      });
    },
  };
}

/** Markers beside the data, where the job does not look. */
export function markersIn({ volumes }: Home): Markers {
  const fileOf = (volumeId: string) => join(volumes, volumeId, 'marker.json');
  return {
    read(volumeId): Marker | undefined {
      if (!existsSync(fileOf(volumeId))) return undefined;
      return JSON.parse(readFileSync(fileOf(volumeId), 'utf8'));
    },
    write(volumeId, marker) {
      if (!existsSync(join(volumes, volumeId))) return;
      writeWhole(fileOf(volumeId), JSON.stringify(marker, null, 2));
    },
  };
}

/** A file is there whole or not at all, whenever we are killed. */
function writeWhole(path: string, content: string): void {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}
