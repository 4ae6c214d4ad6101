import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { KEPT_TAG, RUN_TAG } from '../handlers/aws/fsx-tags';
import type { Marker } from './claim';
import type { FileSystemNotes, LocalFileSystem } from './fsx';
import { durably, type Home, writeWhole } from './home';
import type { Markers } from './hosts';
import type { Disks, LocalVolume } from './volumes';

/** Storage in a folder, as far as anybody must know it to say whose it is. */
export interface StorageOnDisk {
  readonly storageId: string;
  readonly runId: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly isKept: boolean;
}

/** Volumes as folders: a note of what the volume is, the marker, and the data that the job sees. */
export function disksIn(
  home: Home,
): Disks & { read(): readonly LocalVolume[]; owned(): readonly StorageOnDisk[] } {
  const notes = notesIn<LocalVolume>(home, { folder: home.volumes, name: 'volume.json' });
  return {
    save: (volume) => notes.save(volume.volumeId, volume),
    remove: notes.remove,
    read: () =>
      notes.read().map((volume) => {
        // The hosts of an earlier session are gone, and whatever was under way with them.
        const free = { state: 'available', host: undefined, isDetaching: false } as const;
        return { ...volume, ...free };
      }),
    owned: () =>
      notes.read().map(({ volumeId, runId, createdAt = 0, isKept = false }) => ({
        storageId: volumeId,
        runId,
        createdAt: new Date(createdAt).toISOString(),
        isKept,
      })),
  };
}

/** File systems as folders: a note of what each is, the marker, and the tree that jobs see a part of. */
export function fileSystemsIn(
  home: Home,
): FileSystemNotes & { read(): readonly LocalFileSystem[]; owned(): readonly StorageOnDisk[] } {
  const folder = home.fileSystems;
  const notes = notesIn<LocalFileSystem>(home, { folder, name: 'file-system.json' });
  return {
    save: (fileSystem) => notes.save(fileSystem.fileSystemId, fileSystem),
    remove: notes.remove,
    read: notes.read,
    owned: () =>
      notes.read().map((each) => ({
        storageId: each.fileSystemId,
        runId: tagOf(each, RUN_TAG) ?? '',
        createdAt: new Date(each.createdAt).toISOString(),
        isKept: tagOf(each, KEPT_TAG) !== undefined,
      })),
  };
}

function tagOf({ tags }: LocalFileSystem, key: string): string | undefined {
  return tags.find(({ Key }) => Key === key)?.Value;
}

/** What is remembered of each storage of a kind, in a folder of its own beside what jobs see of it. */
function notesIn<Note>(home: Home, { folder, name }: { folder: string; name: string }) {
  const noteOf = (id: string) => join(folder, id, name);
  return {
    save(id: string, note: Note): void {
      durably(home, () => {
        mkdirSync(home.dataOf(id), { recursive: true });
        writeWhole(noteOf(id), JSON.stringify(note, null, 2));
      });
    },
    remove: (id: string) => rmSync(join(folder, id), { recursive: true, force: true }),
    read(): Note[] {
      if (!existsSync(folder)) return [];
      const ids = readdirSync(folder).filter((id) => existsSync(noteOf(id)));
      return ids.map((id) => JSON.parse(readFileSync(noteOf(id), 'utf8')));
    },
  };
}

/** Markers beside the data, where the job does not look. */
export function markersIn(home: Home): Markers {
  const fileOf = (storage: string) => join(home.folderOf(storage), 'marker.json');
  return {
    read(storage): Marker | undefined {
      if (!existsSync(fileOf(storage))) return undefined;
      return JSON.parse(readFileSync(fileOf(storage), 'utf8'));
    },
    write(storage, marker) {
      if (!existsSync(home.folderOf(storage))) return;
      durably(home, () => writeWhole(fileOf(storage), JSON.stringify(marker, null, 2)));
    },
  };
}
