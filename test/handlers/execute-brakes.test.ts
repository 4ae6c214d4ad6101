import { RunRejected, RunRequested, StorageRequested } from '../../events';
import {
  begin,
  execute,
  HANDLERS,
  type Handler,
  ignore,
  look,
  opener,
  type Ports,
  proceed,
  reaction,
  Throttled,
} from '../../handlers';
import { createVolume } from '../../handlers/create-volume';
import { enforceDeadline } from '../../handlers/enforce-deadline';
import { observeFileSystem } from '../../handlers/observe-file-system';
import { observeVolume } from '../../handlers/observe-volume';
import { later, lustreRun, NOW, run } from '../support/builders';
import {
  creating,
  envelope,
  given,
  lustreStorageIn,
  MADE,
  passUntil,
  probeEnvelope,
  seenFileSystem,
  storageIn,
  VOLUME,
  type World,
  world,
  writtenIn,
} from './world';

/** A world whose EC2 complains while it is told to, and counts its creations. */
function complaining(error: Error = new Throttled('RequestLimitExceeded')) {
  const here = creating();
  const state = { isSlow: true, calls: 0 };
  const create: Ports['volumes']['create'] = (wanted) => {
    state.calls += 1;
    return state.isSlow ? Promise.reject(error) : here.ports.volumes.create(wanted);
  };
  const ports: Ports = { ...here.ports, volumes: { ...here.ports.volumes, create } };
  const deliver = () => execute(createVolume, probeEnvelope('provisioning'), ports);
  return { ...here, ports, state, deliver };
}
const lookOfRun = async ({ runs }: World) => Date.parse((await runs.look('r1'))?.lookAt ?? '');

describe('a delivery that AWS turned away', () => {
  it('is no failure: the run is looked at when it is its turn', async () => {
    const here = complaining();
    await given(here.runs, run(), later(-1));
    await here.deliver();
    const look = await lookOfRun(here);
    expect(look).toBeGreaterThanOrEqual(NOW + 5_000);
    expect(look).toBeLessThan(NOW + 10_000);
    expect(here.lines).toMatchObject([
      { seq: 2, decided: `AWS asks for fewer calls: again at ${new Date(look).toISOString()}` },
    ]);
    expect([await writtenIn(here), here.state.calls]).toEqual([[], 1]);
  });

  it('holds the next one back, which makes no call', async () => {
    const here = complaining();
    await given(here.runs, run(), later(-1));
    await here.deliver();
    await here.deliver();
    expect([here.state.calls, here.lines.length, await writtenIn(here)]).toEqual([1, 2, []]);
    expect(here.lines[1]).toEqual(here.lines[0]);
  });

  it('comes again under the same key, when the brake is loose', async () => {
    const here = complaining();
    await given(here.runs, run(), later(-1));
    await here.deliver();
    here.state.isSlow = false;
    await passUntil(here, await lookOfRun(here));
    await here.deliver();
    expect([here.tokens, await writtenIn(here)]).toEqual([
      ['r1.storage-mjuohs00.1'],
      ['VolumeCreated'],
    ]);
  });

  it('is looked at no later than its deadline says', async () => {
    const here = complaining();
    await given(here.runs, run(), later(-1));
    await here.ports.brakes.set('volumes', { level: 9, until: later(7200) });
    await here.deliver();
    expect([here.state.calls, await lookOfRun(here)]).toEqual([0, NOW + 3_600_000]);
  });

  it('is thrown where AWS did not complain, and holds nobody back', async () => {
    const here = complaining(new Error('connection reset'));
    await given(here.runs, run());
    await expect(here.deliver()).rejects.toThrow('connection reset');
    expect(await here.ports.brakes.read('volumes')).toBeUndefined();
  });

  it('does not hold back what makes no call', async () => {
    const here = complaining();
    await given(here.runs, run(), later(-1));
    await here.deliver();
    await execute(observeVolume, probeEnvelope('provisioning'), here.ports);
    await execute(enforceDeadline, probeEnvelope('provisioning'), here.ports);
    expect(here.lines.slice(1)).toMatchObject([
      { decided: 'ignored: no volume yet' },
      { decided: 'ignored: in time' },
    ]);
  });

  it('does not hold back what uses another port', async () => {
    const here = complaining();
    await given(here.runs, run(), later(-1));
    await here.deliver();
    const fileSystems = { ...here.ports.fileSystems, inspect: async () => [seenFileSystem()] };
    const storage = lustreStorageIn('provisioning', MADE);
    await here.runs.commit({
      ...{ before: 0, events: [], storageIds: [] },
      run: { ...lustreRun({ storage }), id: 'r2' },
    });
    const ports = { ...here.ports, fileSystems };
    await execute(observeFileSystem, probeEnvelope('provisioning', 'r2'), ports);
    expect(await here.runs.get('r2')).toMatchObject({ status: 'ready' });
  });

  it('holds looks back as well as acts', async () => {
    const here = world();
    await given(here.runs, run({ storage: storageIn('provisioning', { id: VOLUME }) }));
    await here.ports.brakes.set('volumes', { level: 1, until: later(60) });
    // Nobody expects a call of describe here: it would be thrown.
    await execute(observeVolume, probeEnvelope('provisioning'), here.ports);
    expect(here.lines[0]?.decided).toMatch(/^AWS asks for fewer calls/);
  });
});

describe('a delivery that AWS takes', () => {
  it('after a pause lets the next one be shorter', async () => {
    const here = complaining();
    await given(here.runs, run(), later(-1));
    await here.ports.brakes.set('volumes', { level: 3, until: later(-60) });
    here.state.isSlow = false;
    await here.deliver();
    expect([await writtenIn(here), await here.ports.brakes.read('volumes')]).toEqual([
      ['VolumeCreated'],
      { level: 1, until: later(-60) },
    ]);
  });

  it('does not ease what it does not use, and a complaint eases nothing', async () => {
    const here = complaining();
    await given(here.runs, run(), later(-1));
    await here.ports.brakes.set('jobs', { level: 3, until: later(-60) });
    await here.ports.brakes.set('volumes', { level: 3, until: later(-60) });
    await here.deliver();
    expect([
      (await here.ports.brakes.read('jobs'))?.level,
      (await here.ports.brakes.read('volumes'))?.level,
    ]).toEqual([3, 4]);
  });
});

describe('an event of which no probe reminds', () => {
  /** Answers an upload, as answer-upload does: it watches no status. */
  const deaf = reaction({
    ...{ name: 'answer-it', on: StorageRequested, watches: [], uses: ['intake'] },
    ...{ emits: [], repeats: true },
    decide: () => proceed('r1.answer', undefined),
    act: (_step, _key, { intake }) => intake.answer({ bucket: 'b', key: 'k', text: '' }),
    record: () => ignore('it is answered'),
  });
  const event = envelope('StorageRequested', {
    ...{ runId: 'r1', mode: 'onlyEBS', status: 'provisioning', seq: 2, time: later(0) },
    data: { kind: 'volume', zone: 'us-east-1a', sizeGib: 500 },
  });
  const answering = async (answer: () => Promise<void>) => {
    const here = world();
    await given(here.runs, run(), later(500));
    const ports: Ports = { ...here.ports, intake: { ...here.ports.intake, answer } };
    return { ...here, ports, deliver: () => execute(deaf, event, ports) };
  };

  it('is thrown back where AWS turns its call away, and moves no look', async () => {
    const here = await answering(async () => {
      throw new Throttled('slow down');
    });
    await expect(here.deliver()).rejects.toThrow('slow down');
    expect([await lookOfRun(here), await here.ports.brakes.read('intake')]).toEqual([
      NOW + 500_000,
      { level: 1, until: later(5) },
    ]);
  });

  it('is thrown back while the calls are held, and makes none', async () => {
    let calls = 0;
    const here = await answering(async () => {
      calls += 1;
    });
    await here.ports.brakes.set('intake', { level: 1, until: later(60) });
    const held = await here.deliver().catch((error: unknown) => error);
    expect(held).toBeInstanceOf(Throttled);
    expect([calls, await lookOfRun(here)]).toEqual([0, NOW + 500_000]);
    await passUntil(here, NOW + 65_000);
    await here.deliver();
    expect(calls).toBe(1);
  });

  it('is what answers an upload', () => {
    const unwoken = HANDLERS.filter((each) => each.watches.length === 0 && each.uses.length > 0);
    expect(unwoken.map(({ name }) => name)).toEqual(['accept-run', 'answer-upload']);
  });
});

describe('a request that nobody could look at again', () => {
  /** Reads the settings, as accept-run does, and begins a run. */
  const beginning = (): { readonly handler: Handler; readonly calls: () => number } => {
    let calls = 0;
    const handler = opener({
      ...{ name: 'begin-it', on: RunRequested, watches: [], uses: ['settings'] },
      emits: [RunRejected],
      decide: () => look(undefined),
      look: (_target, { settings }) => {
        calls += 1;
        return settings.read();
      },
      judge: () => begin('onlyEBS', RunRejected.of({ reason: 'no', fingerprint: '' })),
    });
    return { handler, calls: () => calls };
  };
  const requested = envelope('RunRequested', { runId: 'r1' });

  it('is thrown back where AWS turns its call away, and holds the next calls back', async () => {
    const here = world();
    const read = async () => {
      throw new Throttled('slow');
    };
    const ports: Ports = { ...here.ports, settings: { read } };
    await expect(execute(beginning().handler, requested, ports)).rejects.toThrow('slow');
    expect([await here.runs.get('r1'), await ports.brakes.read('settings')]).toEqual([
      undefined,
      { level: 1, until: later(5) },
    ]);
  });

  it('is thrown back while the calls are held, and makes none', async () => {
    const { ports, runs, lines } = world();
    await ports.brakes.set('settings', { level: 1, until: later(60) });
    const { handler, calls } = beginning();
    const held = await execute(handler, requested, ports).catch((error: unknown) => error);
    // Of this kind: whoever delivers it knows then that waiting helps.
    expect(held).toBeInstanceOf(Throttled);
    expect(held).toMatchObject({ message: 'begin-it is held back' });
    expect([calls(), lines, await runs.get('r1')]).toEqual([0, [], undefined]);
    // It was not turned away by AWS again, so nobody waits any longer for it.
    expect(await ports.brakes.read('settings')).toEqual({ level: 1, until: later(60) });
  });

  it('begins its run when the brake is loose', async () => {
    const here = world();
    await here.ports.brakes.set('settings', { level: 1, until: later(60) });
    await passUntil(here, NOW + 65_000);
    await execute(beginning().handler, requested, here.ports);
    expect(await here.runs.get('r1')).toMatchObject({ status: 'rejected' });
  });
});
