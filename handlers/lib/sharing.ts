import type { Clock, Ports } from './ports';

/** Who asks within this time asks together. */
const TOGETHER_MS = 5;

/**
 * Ports on which looks of the same moment are one call: a hundred runs that are looked at together
 * cost as many calls as one does. What one asks for and nobody knows does not disturb the others.
 */
export function sharing(ports: Ports): Ports {
  const { clock, jobs, volumes, fileSystems } = ports;
  return {
    ...ports,
    jobs: { ...jobs, describe: shared(jobs.describe, clock, ({ jobId }) => jobId) },
    volumes: { ...volumes, describe: shared(volumes.describe, clock, ({ volumeId }) => volumeId) },
    fileSystems: {
      ...fileSystems,
      inspect: shared(fileSystems.inspect, clock, ({ fileSystemId }) => fileSystemId),
    },
  };
}

type Describe<Seen> = (ids: readonly string[]) => Promise<readonly Seen[]>;

function shared<Seen>(
  describe: Describe<Seen>,
  clock: Clock,
  idOf: (seen: Seen) => string,
): Describe<Seen> {
  let waiting: { readonly ids: Set<string>; readonly seen: Promise<readonly Seen[]> } | undefined;

  async function together(ids: ReadonlySet<string>): Promise<readonly Seen[]> {
    await clock.sleep(TOGETHER_MS);
    waiting = undefined;
    return describe([...ids]);
  }

  return async (ids) => {
    if (!waiting) {
      const asked = new Set<string>();
      waiting = { ids: asked, seen: together(asked) };
    }
    for (const id of ids) waiting.ids.add(id);
    const seen = await waiting.seen;
    return seen.filter((each) => ids.includes(idOf(each)));
  };
}
