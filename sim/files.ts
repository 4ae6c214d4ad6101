import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A plain file somewhere in a folder. */
export interface FileInside {
  /** From the folder on. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
}

const FILES_MAX = 10_000;

/**
 * The plain files in a folder and below, at most 10,000. Links are not followed, and what cannot be
 * read is passed over: a job may leave anything behind.
 */
export function filesIn(folder: string): FileInside[] {
  const files: FileInside[] = [];
  const left = [''];
  for (let name = left.pop(); name !== undefined && files.length < FILES_MAX; name = left.pop()) {
    for (const entry of namesIn(join(folder, name))) {
      const inside = join(name, entry);
      const stat = lstatSync(join(folder, inside), { throwIfNoEntry: false });
      if (stat?.isDirectory()) left.push(inside);
      if (!stat?.isFile()) continue;
      const { size: bytes, mtimeMs } = stat;
      files.push({ name: inside, path: join(folder, inside), bytes, mtimeMs });
    }
  }
  return files;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
