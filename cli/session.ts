import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import type { Run } from '../events';
import { type Home, homeAt } from '../sim/home';
import { holderOf, type Lock, takeLock } from '../sim/lock';
import { killStrays } from '../sim/strays';
import { leftoversIn, runsIn, tidy } from '../sim/tidy';
import { UsageError } from './command';
import type { Io } from './io';
import { hint, localSettings } from './local-settings';

/** A command's hold on a local cloud: nobody else changes it meanwhile. */
export interface Session {
  readonly home: Home;
  release(): void;
}

/** Takes the place, and puts in order what an earlier session left behind. Says what it found. */
export async function openSession(path: string, doing: string, io: Io): Promise<Session> {
  const home = homeAt(resolve(path));
  const lock = tryLock(home, doing);
  if (!lock.ok) {
    const { pid, doing: other, since } = lock.holder;
    throw new UsageError(
      `${home.path} is in use by process ${pid} (${other}, since ${since}): wait for it, stop it, or give this one a place of its own with --home DIR`,
    );
  }
  try {
    if (lock.left) {
      io.say(`The session before (${lock.left.doing}, process ${lock.left.pid}) was killed.`);
    }
    const strays = killStrays(home);
    if (strays > 0) io.say(`Found ${strays} processes of its jobs: killed.`);
    const left = leftoversIn(home);
    for (const line of leftoverLines(left)) io.say(line);
    await putInOrder(home, left, io);
  } catch (error) {
    lock.release();
    throw error;
  }
  return { home, release: lock.release };
}

/**
 * For commands that only look: puts in order what a dead session left, where nobody is at work and
 * the place may be written to.
 */
export async function tidyFirst(path: string, doing: string, io: Io): Promise<Home> {
  const home = homeAt(resolve(path));
  const isInOrder = leftoversIn(home).length === 0;
  if (isInOrder || holderOf(home.path) || !isWritable(home.path)) return home;
  const session = await openSession(path, doing, io);
  session.release();
  return home;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why a place cannot be a home, by the error that it gave. */
const NO_HOME: { readonly [code: string]: string } = {
  EACCES: 'is not yours to write to',
  EPERM: 'is not yours to write to',
  EROFS: 'is not yours to write to',
  EEXIST: 'is no folder',
  ENOTDIR: 'is no folder',
};

function tryLock({ path }: Home, doing: string): Lock {
  try {
    return takeLock(path, { doing, now: new Date() });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = NO_HOME[code ?? ''];
    if (!why) throw error;
    throw new UsageError(`${path} ${why}: --home DIR gives you a place of your own`);
  }
}

/** Ends what nobody can go on with, and says so. */
export async function putInOrder(home: Home, left: readonly Run[], io: Io): Promise<void> {
  if (left.length === 0) return;
  if (!(await tidy(home, left, () => localSettings(home)))) {
    return io.say(`  Not everything came to its end. ${hint('reset', home)} removes it all.`);
  }
  const ids = left.map(({ id }) => id);
  for (const run of runsIn(home).filter(({ id }) => ids.includes(id))) {
    const isKept = run.storage.over === 'kept' || run.status === 'retained';
    const storage = isKept ? 'its storage is kept' : 'its storage is gone';
    io.say(`  ${run.id} is ${run.status} and ${storage}. See it: ${hint(`show ${run.id}`, home)}`);
  }
}

function leftoverLines(runs: readonly Run[]): string[] {
  return runs.map(({ id, status }) => {
    const isEnding = status === 'exporting' || status === 'releasing';
    const now = isEnding ? 'it goes on to its end now' : 'cancelled now';
    return `Found ${id}, ${status} when its session ended: ${now}.`;
  });
}
