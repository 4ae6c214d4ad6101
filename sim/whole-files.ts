import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const RENAMES_MAX = 5;

/** Fills a file elsewhere, and puts it in its place in one step: it is there whole, or not at all. */
export async function place(
  file: string,
  staging: string,
  fill: (staged: string) => Promise<void>,
): Promise<void> {
  const staged = join(staging, `${process.pid}-${randomBytes(6).toString('hex')}`);
  await mkdir(staging, { recursive: true });
  try {
    await fill(staged);
    await flush(staged);
    await settle(staged, file);
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}

/** Removes a plain file, and the directories above it that this leaves empty, up to a top one that stays. */
export async function clear(file: string, top: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error))) return;
    throw error;
  }
  let directory = dirname(file);
  while (directory.startsWith(join(top, '/')) && (await isRemoved(directory))) {
    directory = dirname(directory);
  }
}

async function settle(staged: string, file: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await mkdir(dirname(file), { recursive: true });
      return await rename(staged, file);
    } catch (error) {
      // The local `aws` removes parents that it left empty, and may leave an empty one behind.
      const errno = errnoOf(error);
      const isFree = errno === 'ENOENT' || (errno === 'EISDIR' && (await isRemoved(file)));
      if (!isFree || tries >= RENAMES_MAX) throw error;
    }
  }
}

async function isRemoved(directory: string): Promise<boolean> {
  return rmdir(directory).then(
    () => true,
    () => false,
  );
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r').catch(() => undefined);
  // One that its owner made unreadable is copied unreadable; then only the rename makes it whole.
  await handle?.sync();
  await handle?.close();
}

/** The system's own word for what went wrong; empty where it has none. */
export function errnoOf(error: unknown): string {
  const hasCode = typeof error === 'object' && error !== null && 'code' in error;
  return hasCode ? String(error.code) : '';
}
