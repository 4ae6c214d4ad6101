import { join } from 'node:path';
import { isAtRest, type Run, RunCancelRequested, replay, type Settings } from '../events';
import { fileSystemsOn } from '../handlers/aws/file-systems';
import { type LeakReport, reap } from '../handlers/feeders/reaper';
import { realClock, until } from './clock';
import { ACCOUNT, NETWORK, REGION } from './cloud';
import { directoryTrees } from './directory-trees';
import { disksIn, fileSystemsIn } from './disks';
import { localFsx } from './fsx';
import { type Home, journalsIn } from './home';
import { openLocal } from './local';
import { seededRandom } from './random';
import { SIGHTINGS, sightingsAt } from './sightings';
import { localVolumes } from './volumes';

/** The runs that an earlier session left under way. Storage that nobody needs is the reaper's. */
export function leftoversIn(home: Home): readonly Run[] {
  return runsIn(home).filter((run) => !isAtRest(run));
}

/** Looks for storage that no run accounts for, without opening the folder: somebody may be at work in it. */
export async function leaksIn(home: Home): Promise<LeakReport> {
  const journals = journalsIn(home);
  const clock = realClock({ start: Date.now(), speed: 1 });
  const common = { clock, random: seededRandom(0), account: ACCOUNT, region: REGION };
  const volumes = localVolumes({ ...common, existing: disksIn(home).read(), notify: () => {} });
  const trees = directoryTrees({ rootOf: home.rootOf, buckets: home.buckets });
  const fsx = localFsx({ ...common, trees, existing: fileSystemsIn(home).read() });
  const place = { ...NETWORK, now: clock.now, sleep: clock.sleep };
  const get = async (id: string) =>
    journals.ids().includes(id) ? replay(journals.read(id)) : undefined;
  const ports = { clock, runs: { get }, volumes, fileSystems: fileSystemsOn(fsx, place) };
  return reap({ ...ports, sightings: sightingsAt(join(home.path, SIGHTINGS)) }, 'report');
}

/** The runs of a folder, as their journals tell. */
export function runsIn(home: Home): Run[] {
  const journals = journalsIn(home);
  return journals.ids().flatMap((id) => replay(journals.read(id)) ?? []);
}

/** Only waits are left when nothing runs any more, and they may go by as fast as they can. */
const TIDYING_SPEED = 2000;
const TIDYING_MS_MAX = 20_000;

/**
 * Cancels the runs that an earlier session left under way, and gives their storage back: by the
 * product's own requests and handlers. Their processes died with the session. False: not all of
 * them came to their end in time.
 */
export async function tidy(
  home: Home,
  runs: readonly Run[],
  settings: () => Settings,
): Promise<boolean> {
  if (runs.length === 0) return true;
  const local = openLocal({ home, speed: TIDYING_SPEED, settings, imageOf: () => undefined });
  try {
    const reason = 'the local cloud was stopped';
    for (const { id: runId, status } of runs) {
      if (status !== 'releasing' && status !== 'retained')
        local.cloud.request({ runId, reason }, RunCancelRequested.type);
    }
    return await until(async () => {
      const now = await Promise.all(runs.map(({ id }) => local.cloud.runs.get(id)));
      return now.every((run) => run && isAtRest(run));
    }, TIDYING_MS_MAX);
  } finally {
    local.close();
  }
}
