import { EbsVolumeNotification, type Envelope } from '../../events';
import { virtualClock } from '../../sim/clock';
import { seededRandom } from '../../sim/random';
import { type LocalVolume, localVolumes } from '../../sim/volumes';
import { advance, EVER, NOW } from '../support/builders';
import { volumesContract } from '../support/volumes.contract';

type Parts = Parameters<typeof localVolumes>[0];

/** An EC2 of the simulator, with what it said. */
function ec2(parts: Partial<Parts> = {}) {
  const clock = virtualClock(NOW);
  const said: Envelope[] = [];
  const volumes = localVolumes({
    ...{ clock, random: seededRandom(1), account: '000000000000', region: 'us-east-1' },
    notify: (envelope) => void said.push(envelope),
    ...parts,
  });
  const pass = (ms = 5000) => advance(clock, ms);
  const make = async () => {
    const token = { clientToken: 'r1.storage.1', runId: 'r1', zone: 'us-east-1a' };
    const made = await volumes.create({ ...token, sizeGib: 10, iops: 3000, throughputMibps: 125 });
    await pass();
    return made.ok ? made.volumeId : '';
  };
  const stateOf = (volumeId: string) => volumes.get(volumeId)?.state;
  return { clock, volumes, said, pass, make, stateOf };
}

/** A volume as a session before this one wrote it down. */
const noted = (overrides: Partial<LocalVolume> = {}): LocalVolume => ({
  ...{ clientToken: 'r0.storage.1', runId: 'r0', zone: 'us-east-1a', sizeGib: 10, iops: 3000 },
  ...{ throughputMibps: 125, volumeId: 'vol-0old', state: 'available' },
  ...overrides,
});

volumesContract('EC2 in the simulator', () => {
  const { volumes, pass } = ec2();
  return {
    volumes,
    advance: pass,
    async attach(volumeId) {
      const attached = volumes.attach(volumeId, 'i-1');
      if (!attached.ok) throw new Error(attached.reason);
    },
  };
});

describe('a host', () => {
  it('attaches a volume that is free', async () => {
    const { volumes, make } = ec2();
    expect(volumes.attach(await make(), 'i-1')).toEqual({ ok: true });
  });

  it('is refused a volume that another host has', async () => {
    const { volumes, make } = ec2();
    const volumeId = await make();
    volumes.attach(volumeId, 'i-1');
    expect(volumes.attach(volumeId, 'i-2')).toEqual({
      ok: false,
      reason: `volume ${volumeId} is attached to i-1`,
    });
  });

  it('is refused a volume that does not exist', () => {
    expect(ec2().volumes.attach('vol-0', 'i-1')).toEqual({
      ok: false,
      reason: 'volume vol-0 does not exist',
    });
  });

  it('is refused a volume that is going', async () => {
    const { volumes, make } = ec2();
    const volumeId = await make();
    await volumes.release({ mayDetach: true, since: EVER, runId: 'r1' });
    expect(volumes.attach(volumeId, 'i-1')).toEqual({
      ok: false,
      reason: `volume ${volumeId} is deleting`,
    });
  });

  it.each([
    ['detaches it', 'detach', 0, 4000],
    ['dies', 'hostGone', 4999, 20_000],
  ] as const)('gives a volume free a while after it %s', async (_how, by, still, free) => {
    const { volumes, make, stateOf, pass } = ec2();
    const volumeId = await make();
    volumes.attach(volumeId, 'i-1');
    if (by === 'detach') volumes.detach(volumeId, 'i-1');
    else volumes.hostGone('i-1');
    await pass(still);
    const before = stateOf(volumeId);
    await pass(free - still);
    expect([before, stateOf(volumeId)]).toEqual(['in-use', 'available']);
  });

  it.each(['detach', 'hostGone'] as const)('takes no other host’s volume away (%s)', async (by) => {
    const { volumes, make, stateOf, pass } = ec2();
    const volumeId = await make();
    volumes.attach(volumeId, 'i-1');
    if (by === 'detach') volumes.detach(volumeId, 'i-2');
    else volumes.hostGone('i-2');
    await pass(60_000);
    expect(stateOf(volumeId)).toBe('in-use');
  });

  it('loses no volume to a detachment it asked for before it attached anew', async () => {
    const { volumes, make, stateOf, pass } = ec2();
    const volumeId = await make();
    volumes.attach(volumeId, 'i-1');
    volumes.detach(volumeId, 'i-1');
    const isAttached = volumes.attach(volumeId, 'i-1').ok;
    await pass(60_000);
    expect(stateOf(volumeId)).toBe(isAttached ? 'in-use' : 'available');
  });
});

describe('EC2 in the simulator', () => {
  it('says when a volume is made, in a form our contract reads', async () => {
    const { said, make } = ec2();
    const volumeId = await make();
    expect(said.map((envelope) => EbsVolumeNotification.parse(envelope))).toMatchObject([
      { about: { storageId: volumeId }, data: { event: 'createVolume', result: 'available' } },
    ]);
  });

  it('says when a volume is deleted, and nothing of attachments', async () => {
    const { volumes, said, make, pass } = ec2();
    const volumeId = await make();
    volumes.attach(volumeId, 'i-1');
    volumes.detach(volumeId, 'i-1');
    await pass();
    await volumes.release({ mayDetach: true, since: EVER, runId: 'r1' });
    await pass();
    expect(said.map(({ detail }) => detail)).toMatchObject([
      { event: 'createVolume' },
      { event: 'deleteVolume', result: 'deleted' },
    ]);
  });

  it('says nothing of a volume that vanishes', async () => {
    const { volumes, said, make, pass, stateOf } = ec2();
    const volumeId = await make();
    volumes.vanish(volumeId);
    await pass();
    expect([stateOf(volumeId), said.length]).toEqual([undefined, 1]);
  });

  it('says when a volume that was discarded is deleted', async () => {
    const { volumes, said, make, pass, stateOf } = ec2();
    const volumeId = await make();
    await volumes.discard(volumeId);
    await pass();
    expect([stateOf(volumeId), said.at(-1)?.detail]).toMatchObject([
      undefined,
      { event: 'deleteVolume', result: 'deleted' },
    ]);
  });

  it('discards no volume that is on its way from a host', async () => {
    const { volumes, make, stateOf } = ec2();
    const volumeId = await make();
    volumes.attach(volumeId, 'i-1');
    volumes.detach(volumeId, 'i-1');
    expect([await volumes.discard(volumeId), stateOf(volumeId)]).toEqual([false, 'in-use']);
  });

  it('discards a volume that failed', async () => {
    const volumeId = 'vol-0bad';
    const { volumes, stateOf } = ec2({ existing: [noted({ volumeId, state: 'error' })] });
    expect([await volumes.discard(volumeId), stateOf(volumeId)]).toEqual([true, 'deleting']);
  });

  it('remembers when a volume was made, whatever happens to it since', async () => {
    const { volumes, make, pass } = ec2();
    await pass(1000);
    volumes.attach(await make(), 'i-1');
    const [{ createdAt } = { createdAt: '' }] = await volumes.list();
    expect(createdAt).toBe(new Date(NOW + 1000).toISOString());
  });

  it('writes down when a volume was made', async () => {
    const notes: (string | undefined)[] = [];
    const save = ({ createdAt }: LocalVolume) => void notes.push(createdAt);
    await ec2({ disks: { save, remove: () => {} } }).make();
    expect(new Set(notes)).toEqual(new Set([new Date(NOW).toISOString()]));
  });

  it('takes a volume for very old of which nobody wrote down when it was made', async () => {
    const { volumes } = ec2({ existing: [noted()] });
    expect(await volumes.list()).toMatchObject([{ createdAt: '1970-01-01T00:00:00.000Z' }]);
  });

  it('refuses in the words that a test gives it', async () => {
    const refusal = { ok: false, noRoom: true, reason: 'no capacity' } as const;
    const { volumes } = ec2({ refuse: () => refusal });
    const wanted = { clientToken: 't', runId: 'r1', zone: 'z', sizeGib: 1 };
    expect(await volumes.create({ ...wanted, iops: 1, throughputMibps: 1 })).toEqual(refusal);
  });

  it('tells the disks what there is and what is gone', async () => {
    const there = new Set<string>();
    const save = ({ volumeId }: { volumeId: string }) => void there.add(volumeId);
    const { volumes, make, pass } = ec2({ disks: { save, remove: (id) => void there.delete(id) } });
    const volumeId = await make();
    const before = [...there];
    await volumes.release({ mayDetach: true, since: EVER, runId: 'r1' });
    await pass();
    expect([before, [...there]]).toEqual([[volumeId], []]);
  });
});
