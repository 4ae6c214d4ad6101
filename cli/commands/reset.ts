import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { homeAt } from '../../sim/home';
import { takeLock } from '../../sim/lock';
import { type Command, UsageError } from '../command';

/** What a local cloud consists of: nothing else in the folder is touched. */
const PARTS = [
  'runs',
  'hosts',
  'volumes',
  'file-systems',
  'buckets',
  'logs',
  'inbox',
  'dead-letters',
  'secrets',
  'sightings.json',
  'bin',
  'reserve',
];

/** Removes the local cloud: runs, volumes, buckets, logs. */
export const reset: Command = {
  name: 'reset',
  summary: 'remove everything in the local cloud: runs, volumes, results, logs',
  options: [],
  async run({ home: path }, io) {
    const home = homeAt(resolve(path));
    if (!existsSync(home.path)) {
      io.say(`Nothing to remove: there is no ${home.path}.`);
      return 0;
    }
    const lock = takeLock(home.path, { doing: 'ebb local reset', now: new Date() });
    if (!lock.ok) {
      const { pid, doing } = lock.holder;
      throw new UsageError(`${home.path} is in use by process ${pid} (${doing}): stop it first`);
    }
    const found = PARTS.filter((part) => existsSync(join(home.path, part)));
    for (const part of PARTS) rmSync(join(home.path, part), { recursive: true, force: true });
    lock.release();
    if (readdirSync(home.path).length === 0) rmSync(home.path, { recursive: true });
    const isThere = found.length > 0;
    io.say(
      isThere ? `Removed the local cloud in ${home.path}.` : `There was none in ${home.path}.`,
    );
    return 0;
  },
};
