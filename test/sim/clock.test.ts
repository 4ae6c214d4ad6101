import { realClock, virtualClock } from '../../sim/clock';
import { NOW } from '../support/builders';

/** A clock on which everything that runs leaves its name. */
function written() {
  const clock = virtualClock(NOW);
  const names: string[] = [];
  const put = (ms: number, name: string) => clock.at(NOW + ms, () => void names.push(name));
  const drain = async () => {
    while (await clock.step()) {
      // Each step runs one entry.
    }
    return names;
  };
  return { clock, put, drain, names };
}

describe('the virtual clock', () => {
  it('stands still until it is moved', async () => {
    const { clock, put, names } = written();
    put(0, 'a');
    await new Promise((resolve) => setImmediate(resolve));
    expect([clock.now(), names]).toEqual([NOW, []]);
  });

  it('runs what is due next, whenever it was put there', async () => {
    const { put, drain } = written();
    put(30, 'c');
    put(10, 'a');
    put(20, 'b');
    expect(await drain()).toEqual(['a', 'b', 'c']);
  });

  it('runs what is due at the same time in the order it came', async () => {
    const { put, drain } = written();
    for (const name of ['a', 'b', 'c']) put(10, name);
    expect(await drain()).toEqual(['a', 'b', 'c']);
  });

  it('runs one entry per step', async () => {
    const { clock, put, names } = written();
    put(10, 'a');
    put(10, 'b');
    await clock.step();
    expect(names).toEqual(['a']);
  });

  it('shows the time of the entry that runs', async () => {
    const { clock } = written();
    const seen: number[] = [];
    clock.at(NOW + 70, () => void seen.push(clock.now()));
    await clock.step();
    expect(seen).toEqual([NOW + 70]);
  });

  it('never goes back: what is past is due now', async () => {
    const { clock, put, drain } = written();
    put(50, 'a');
    await clock.step();
    put(10, 'late');
    await drain();
    expect(clock.now()).toBe(NOW + 50);
  });

  it('forgets what is taken back', async () => {
    const { put, drain } = written();
    const forget = put(10, 'a');
    put(20, 'b');
    forget();
    expect(await drain()).toEqual(['b']);
  });

  it('wakes a sleeper at its time', async () => {
    const { clock } = written();
    const woken = clock.sleep(40).then(() => clock.now());
    await clock.step();
    expect(await woken).toBe(NOW + 40);
  });

  it('lets everything come to rest that a step set going', async () => {
    const { clock } = written();
    let isAtRest = false;
    clock.at(NOW, async () => {
      for (let turns = 0; turns < 20; turns += 1) await undefined;
      isAtRest = true;
    });
    await clock.step();
    expect(isAtRest).toBe(true);
  });

  it('says when nothing is due', async () => {
    expect(await virtualClock(NOW).step()).toBe(false);
  });

  it('runs until something is done, and not further', async () => {
    const { clock, put, names } = written();
    for (const name of ['a', 'b', 'c']) put(10, name);
    await clock.runUntil(() => names.includes('b'), 10);
    expect(names).toEqual(['a', 'b']);
  });

  it('complains when nothing is left to do', async () => {
    const { clock, put } = written();
    put(10, 'a');
    await expect(clock.runUntil(() => false, 10)).rejects.toThrow(
      'nothing is left to happen after 1 steps',
    );
  });

  it('complains when it takes too many steps', async () => {
    const { clock } = written();
    const again = () => void clock.at(clock.now() + 1, again);
    again();
    await expect(clock.runUntil(() => false, 10)).rejects.toThrow('not done after 10 steps');
  });
});

describe('the real clock', () => {
  it('runs what is due, and wakes who sleeps', async () => {
    const clock = realClock({ start: NOW, speed: 100_000 });
    await clock.sleep(1000);
    expect(clock.now()).toBeGreaterThanOrEqual(NOW + 1000);
  });

  it('forgets what is taken back', async () => {
    const clock = realClock({ start: NOW, speed: 100_000 });
    const names: string[] = [];
    clock.at(NOW, () => void names.push('a'))();
    await clock.sleep(1000);
    expect(names).toEqual([]);
  });
});
