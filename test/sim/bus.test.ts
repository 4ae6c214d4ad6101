import type { Envelope } from '../../events';
import { localBus } from '../../sim/bus';
import { seededRandom } from '../../sim/random';
import { NOW } from '../support/builders';

const entry = { source: 'ebbtide', detailType: 'RunFailed', detail: { runId: 'r1', list: [1] } };

/** A bus with rules that keep what they are given. */
function kept(...patterns: readonly unknown[]) {
  const place = { account: '000000000000', region: 'us-east-1', now: () => NOW };
  const bus = localBus({ ...place, random: seededRandom(1) });
  const got: Envelope[][] = patterns.map((pattern, index) => {
    const envelopes: Envelope[] = [];
    const deliver = (envelope: Envelope) => void envelopes.push(envelope);
    bus.addRule({ name: `rule-${index}`, pattern, deliver });
    return envelopes;
  });
  return { bus, got };
}

describe('a bus', () => {
  it('makes an envelope of an entry as EventBridge does', async () => {
    const { bus, got } = kept({ source: ['ebbtide'] });
    await bus.put([entry]);
    expect(got).toEqual([
      [
        {
          id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
          source: 'ebbtide',
          'detail-type': 'RunFailed',
          account: '000000000000',
          region: 'us-east-1',
          time: '2026-01-01T00:00:00Z',
          resources: [],
          detail: entry.detail,
        },
      ],
    ]);
  });

  it('delivers to every rule whose pattern matches, and to no other', async () => {
    const types = ['RunFailed', 'RunFailed', 'RunSucceeded'];
    const { bus, got } = kept(...types.map((type) => ({ 'detail-type': [type] })));
    await bus.put([entry]);
    expect(got.map(({ length }) => length)).toEqual([1, 1, 0]);
  });

  it('matches by the detail too', async () => {
    const { bus, got } = kept({ detail: { runId: ['r1'] } }, { detail: { runId: ['r2'] } });
    await bus.put([entry]);
    expect(got.map(({ length }) => length)).toEqual([1, 0]);
  });

  it('lets an event go that nobody waits for', async () => {
    const { bus } = kept();
    expect(await bus.put([entry])).toEqual([true]);
  });

  it('delivers entries in their order, each under an id of its own', async () => {
    const { bus, got } = kept({ source: ['ebbtide'] });
    await bus.put([entry, { ...entry, detailType: 'RunSucceeded' }, entry]);
    expect(got[0]?.map((envelope) => envelope['detail-type'])).toEqual([
      'RunFailed',
      'RunSucceeded',
      'RunFailed',
    ]);
    expect(new Set(got[0]?.map(({ id }) => id)).size).toBe(3);
  });

  it('says of each entry that it was taken', async () => {
    const { bus } = kept();
    expect(await bus.put([entry, entry, entry])).toEqual([true, true, true]);
  });

  it('gives each rule a copy of its own', async () => {
    const { bus, got } = kept({ source: ['ebbtide'] }, { source: ['ebbtide'] });
    await bus.put([entry]);
    Object.assign(got[0]?.[0]?.detail as object, { runId: 'spoiled' });
    expect(got[1]?.[0]?.detail).toEqual(entry.detail);
  });

  it('keeps nothing of what it is given', async () => {
    const { bus, got } = kept({ source: ['ebbtide'] });
    const own = structuredClone(entry);
    await bus.put([own]);
    own.detail.list.push(2);
    expect(got[0]?.[0]?.detail).toEqual(entry.detail);
  });

  it('carries what JSON can carry, and no more', async () => {
    const { bus, got } = kept({ source: ['ebbtide'] });
    await bus.put([{ ...entry, detail: { runId: 'r1', zone: undefined, at: new Date(NOW) } }]);
    expect(Object.entries(got[0]?.[0]?.detail ?? {})).toEqual([
      ['runId', 'r1'],
      ['at', '2026-01-01T00:00:00.000Z'],
    ]);
  });

  it('hands on an envelope of AWS as it is', () => {
    const { bus, got } = kept({ source: ['aws.ec2'] });
    const envelope = { id: 'x', source: 'aws.ec2', 'detail-type': 'y', time: 'z', detail: {} };
    bus.send(envelope);
    expect(got).toEqual([[envelope]]);
  });

  it('refuses a pattern that EventBridge would refuse', () => {
    expect(() => kept({ source: 'ebbtide' })).toThrow();
  });
});
