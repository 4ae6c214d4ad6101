import fc from 'fast-check';
import { type Brakes, heldUntil, pullBrakes } from '../../handlers';
import { easeBrakes } from '../../handlers/lib/brakes';
import { memoryBrakes } from '../../sim/brakes';
import { later, NOW } from '../support/builders';

const MINUTE = 60_000;
const pull = (brakes: Brakes, second = 0) =>
  pullBrakes(['fileSystems'], { brakes, now: NOW + second * 1000 });
const held = (brakes: Brakes, runId = 'r1', second = 0) =>
  heldUntil(['fileSystems'], runId, { brakes, now: NOW + second * 1000 });
/** The brake of file systems: its level, and seconds from NOW until it is loose. */
async function brakeOf(brakes: Brakes) {
  const brake = await brakes.read('fileSystems');
  return brake && [brake.level, (Date.parse(brake.until) - NOW) / 1000];
}

describe('a complaint of AWS', () => {
  it('holds the calls of its port back for five seconds', async () => {
    const brakes = memoryBrakes();
    await pull(brakes);
    expect(await brakeOf(brakes)).toEqual([1, 5]);
  });

  it('is one, however many are turned away in the same moment', async () => {
    const brakes = memoryBrakes();
    for (let turned = 0; turned < 100; turned += 1) await pull(brakes);
    for (let turned = 0; turned < 100; turned += 1) await pull(brakes, 4.999);
    expect(await brakeOf(brakes)).toEqual([1, 5]);
  });

  it('holds twice as long as the one before it, up to five minutes', async () => {
    const brakes = memoryBrakes();
    const pauses: number[] = [];
    let now = 0;
    for (let complaint = 0; complaint < 9; complaint += 1) {
      await pull(brakes, now);
      const [, until = 0] = (await brakeOf(brakes)) ?? [];
      pauses.push(until - now);
      now = until;
    }
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  it.each([
    ['within ten minutes adds to the one before', 604.999, 2],
    ['after ten minutes begins anew', 605, 1],
  ])('%s', async (_title, second, level) => {
    const brakes = memoryBrakes();
    await pull(brakes);
    await pull(brakes, second);
    expect((await brakeOf(brakes))?.[0]).toBe(level);
  });

  it('is about all ports that were used, and about no others', async () => {
    const brakes = memoryBrakes();
    await pullBrakes(['fileSystems', 'metrics'], { brakes, now: NOW });
    const pulled = await Promise.all(
      (['fileSystems', 'metrics', 'jobs', 'volumes'] as const).map((port) => brakes.read(port)),
    );
    expect(pulled.map((brake) => brake !== undefined)).toEqual([true, true, false, false]);
  });
});

describe('a call that AWS takes', () => {
  const ease = (brakes: Brakes, second: number) =>
    easeBrakes(['fileSystems'], { brakes, now: NOW + second * 1000 });

  it('after a pause lets the next one be shorter: half its level', async () => {
    const brakes = memoryBrakes();
    await pull(brakes);
    await pull(brakes, 5);
    await pull(brakes, 15);
    expect(await brakeOf(brakes)).toEqual([3, 35]);
    await ease(brakes, 35);
    expect(await brakeOf(brakes)).toEqual([1, 35]);
    await pull(brakes, 36);
    expect(await brakeOf(brakes)).toEqual([2, 46]);
  });

  it('is one of several until nothing is left of a long pause', async () => {
    const brakes = memoryBrakes();
    await brakes.set('fileSystems', { level: 7, until: later(0) });
    const levels: unknown[] = [];
    for (let call = 0; call < 4; call += 1) {
      await ease(brakes, call);
      levels.push((await brakeOf(brakes))?.[0]);
    }
    expect(levels).toEqual([3, 1, 0, 0]);
  });

  it('after a pause lets some others go on sooner, and three such calls all of them', async () => {
    const brakes = memoryBrakes();
    await brakes.set('fileSystems', { level: 4, until: later(30) });
    const ids = Array.from({ length: 50 }, (_, index) => `run-${index}`);
    const waiting = async () => {
      const ends = await Promise.all(ids.map((id) => held(brakes, id, 31)));
      return ends.filter((end) => end !== undefined).length;
    };
    const counts: number[] = [];
    for (let call = 0; call < 4; call += 1) {
      counts.push(await waiting());
      await ease(brakes, 31);
    }
    const [before = 0, eased = 0] = counts;
    expect(eased).toBeLessThanOrEqual(before);
    expect(eased).toBeGreaterThan(0);
    expect(counts.at(-1)).toBe(0);
  });

  it('during a pause, begun before it, changes nothing', async () => {
    const brakes = memoryBrakes();
    await pull(brakes);
    await ease(brakes, 4.999);
    expect(await brakeOf(brakes)).toEqual([1, 5]);
  });

  it('where nobody has complained writes nothing, nor a second time', async () => {
    const here = memoryBrakes();
    const written: unknown[] = [];
    const brakes: Brakes = {
      ...here,
      async set(port, brake) {
        written.push(brake);
        await here.set(port, brake);
      },
    };
    await ease(brakes, 0);
    await here.set('fileSystems', { level: 1, until: later(0) });
    await ease(brakes, 1);
    await ease(brakes, 2);
    expect(written).toEqual([{ level: 0, until: later(0) }]);
  });

  it('eases the ports that it used, and no others', async () => {
    const brakes = memoryBrakes();
    await brakes.set('jobs', { level: 2, until: later(0) });
    await brakes.set('fileSystems', { level: 2, until: later(0) });
    await ease(brakes, 1);
    expect([await brakes.read('jobs'), await brakes.read('fileSystems')]).toMatchObject([
      { level: 2 },
      { level: 1 },
    ]);
  });
});

describe('a call', () => {
  it('is free where nobody has complained', async () => {
    expect(await held(memoryBrakes())).toBeUndefined();
  });

  it('is free where it uses nothing that a complaint was about', async () => {
    const brakes = memoryBrakes();
    await pull(brakes);
    expect([
      await heldUntil(['jobs'], 'r1', { brakes, now: NOW }),
      await heldUntil([], 'r1', { brakes, now: NOW }),
    ]).toEqual([undefined, undefined]);
  });

  it('is held back until the last of its ports is free', async () => {
    const brakes = memoryBrakes();
    await brakes.set('jobs', { level: 1, until: later(10) });
    await brakes.set('fileSystems', { level: 1, until: later(60) });
    const until = await heldUntil(['jobs', 'fileSystems'], 'r1', { brakes, now: NOW });
    expect(until).toBeGreaterThanOrEqual(NOW + MINUTE);
    expect(until).toBeLessThan(NOW + MINUTE + 5_000);
  });

  it('is free from the time on that it was told', async () => {
    const brakes = memoryBrakes();
    await pull(brakes);
    const until = (await held(brakes)) ?? 0;
    const at = (now: number) => heldUntil(['fileSystems'], 'r1', { brakes, now });
    expect([await at(until - 1), await at(until)]).toEqual([until, undefined]);
  });
});

describe('the runs that wait together', () => {
  const ids = Array.from({ length: 500 }, (_, index) => `run-${index}`);

  it.each([
    [1, 5_000],
    [4, 40_000],
    [20, 300_000],
  ])(
    'go on one after the other, over as long again as they waited: level %i',
    async (level, pauseMs) => {
      const brakes = memoryBrakes();
      await brakes.set('fileSystems', { level, until: later(30) });
      const ends = await Promise.all(ids.map(async (id) => (await held(brakes, id)) ?? 0));
      const after = ends.map((end) => end - NOW - 30_000);
      expect(Math.min(...after)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...after)).toBeLessThan(pauseMs);
      // In each quarter of the spread a fair part of them.
      for (const quarter of [0, 1, 2, 3]) {
        const part = after.filter((ms) => Math.floor((4 * ms) / pauseMs) === quarter);
        expect(part.length).toBeGreaterThan(ids.length / 8);
      }
    },
  );

  it('go on in another order the next time: who was last is not last for ever', async () => {
    const orderAt = async (until: string) => {
      const brakes = memoryBrakes();
      await brakes.set('fileSystems', { level: 4, until });
      const ends = await Promise.all(ids.map(async (id) => (await held(brakes, id)) ?? 0));
      return ids.filter((_, index) => (ends[index] ?? 0) - Date.parse(until) >= 30_000);
    };
    const [first, second] = [await orderAt(later(30)), await orderAt(later(31))];
    const twice = first.filter((id) => second.includes(id));
    // A quarter of all are in the last quarter; by chance a quarter of those are again.
    expect(first.length).toBeGreaterThan(ids.length / 8);
    expect(twice.length).toBeLessThan(first.length / 2);
  });

  it('have each the same turn, whoever asks and however often', async () => {
    const brakes = memoryBrakes();
    await pull(brakes);
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[a-z0-9-]{1,40}$/), async (id) => {
        const first = await held(brakes, id);
        expect(await held(brakes, id, 1)).toBe(first);
      }),
    );
  });
});
