import { type Ports, sharing } from '../../handlers';
import { NOW } from '../support/builders';
import { seenFileSystem, seenJob, world } from './world';

/** Ports that count their calls, shared: everything there is has one of these ids. */
function shared(there: readonly string[] = ['a', 'b', 'c'], fails?: Error) {
  const here = world();
  const calls: (readonly string[])[] = [];
  const answer = <Seen>(make: (id: string) => Seen) => {
    return async (ids: readonly string[]) => {
      calls.push([...ids]);
      if (fails) throw fails;
      return ids.filter((id) => there.includes(id)).map(make);
    };
  };
  const zone = 'us-east-1a';
  const ports: Ports = {
    ...here.ports,
    jobs: { ...here.ports.jobs, describe: answer((jobId) => seenJob({ jobId })) },
    volumes: {
      ...here.ports.volumes,
      describe: answer((volumeId) => ({ volumeId, zone, state: 'available' as const })),
    },
    fileSystems: {
      ...here.ports.fileSystems,
      inspect: answer((fileSystemId) => seenFileSystem({ fileSystemId })),
    },
  };
  return { ...here, calls, ports: sharing(ports) };
}

type Shared = ReturnType<typeof shared>;
const KINDS = [
  ['jobs', ({ ports }: Shared, ids: string[]) => idsOf(ports.jobs.describe(ids), 'jobId')],
  ['volumes', ({ ports }: Shared, ids: string[]) => idsOf(ports.volumes.describe(ids), 'volumeId')],
  [
    'file systems',
    ({ ports }: Shared, ids: string[]) => idsOf(ports.fileSystems.inspect(ids), 'fileSystemId'),
  ],
] as const;

async function idsOf<Key extends string>(
  seen: Promise<readonly { readonly [key in Key]: string }[]>,
  key: Key,
): Promise<string[]> {
  return (await seen).map((each) => each[key]);
}

describe.each(KINDS)('looks at %s of the same moment', (_kind, look) => {
  it('are one call, and each gets its own', async () => {
    const here = shared();
    const looks = Promise.all([look(here, ['a']), look(here, ['b', 'c']), look(here, ['b'])]);
    expect(await here.settled(looks)).toEqual([['a'], ['b', 'c'], ['b']]);
    expect(here.calls).toEqual([['a', 'b', 'c']]);
  });

  it('are one call for a hundred', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `id-${index}`);
    const here = shared(ids);
    await here.settled(Promise.all(ids.map((id) => look(here, [id]))));
    expect([here.calls.length, here.clock.now() - NOW]).toEqual([1, 5]);
  });

  it('are not disturbed by what nobody knows', async () => {
    const here = shared();
    const looks = Promise.all([look(here, ['a']), look(here, ['stranger'])]);
    expect(await here.settled(looks)).toEqual([['a'], []]);
  });

  it('fail for all who asked, and for nobody after them', async () => {
    const here = shared(['a', 'b'], new Error('AWS is down'));
    const settled = await here.settled(Promise.allSettled([look(here, ['a']), look(here, ['b'])]));
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await here.settled(Promise.allSettled([look(here, ['a'])]));
    expect(here.calls).toEqual([['a', 'b'], ['a']]);
  });

  it('are apart from those of the next moment: those see what is then', async () => {
    const here = shared();
    const first = look(here, ['a']);
    await here.settled(first);
    await here.settled(look(here, ['a']));
    expect([here.calls, here.clock.now() - NOW]).toEqual([[['a'], ['a']], 10]);
  });

  it('do not join a call that is on its way', async () => {
    const here = shared();
    const slow = look(here, ['a']);
    await here.clock.step();
    const late = look(here, ['b']);
    expect(await here.settled(Promise.all([slow, late]))).toEqual([['a'], ['b']]);
    expect(here.calls).toEqual([['a'], ['b']]);
  });
});

describe('looks at different things of the same moment', () => {
  it('are a call each', async () => {
    const here = shared();
    await here.settled(Promise.all(KINDS.map(([, look]) => look(here, ['a']))));
    expect(here.calls).toEqual([['a'], ['a'], ['a']]);
  });
});

describe('everything else', () => {
  it('is as it was', async () => {
    const here = world();
    const ports = sharing(here.ports);
    expect(ports.jobs.submit).toBe(here.ports.jobs.submit);
    expect(ports.fileSystems.create).toBe(here.ports.fileSystems.create);
    expect(ports.volumes.release).toBe(here.ports.volumes.release);
    expect([ports.metrics, ports.runs, ports.once]).toEqual([
      here.ports.metrics,
      here.ports.runs,
      here.ports.once,
    ]);
  });
});
