import { virtualClock } from '../../sim/clock';
import { Crash, memoryOnce } from '../../sim/once';
import { advance, NOW } from '../support/builders';
import { onceContract } from '../support/once.contract';

const makeWorld = () => {
  const clock = virtualClock(NOW);
  return {
    once: memoryOnce(clock),
    advance: (ms: number) => advance(clock, ms),
    lockedMs: 30_000,
  };
};

onceContract('the memory of the simulator', makeWorld);

describe('a crash during an act', () => {
  const crash = async () => {
    throw new Crash('gone');
  };

  it('keeps others out as a process that died would', async () => {
    const { once } = makeWorld();
    await once('r1.storage.1', crash).catch(() => {});
    await expect(once('r1.storage.1', async () => 'second')).rejects.toThrow(
      'r1.storage.1 is in progress elsewhere',
    );
  });

  it('lets another one act when its time is over', async () => {
    const world = makeWorld();
    await world.once('r1.storage.1', crash).catch(() => {});
    await world.advance(30_000);
    expect(await world.once('r1.storage.1', async () => 'second')).toBe('second');
  });
});

describe('a memory of two days', () => {
  it('ends after them', async () => {
    const { once, advance: pass } = makeWorld();
    await once('r1.storage.1', async () => 'first');
    await pass(48 * 3_600_000);
    expect(await once('r1.storage.1', async () => 'second')).toBe('second');
  });
});

describe('the first to act', () => {
  it('is given what the others will be given: an outcome that has been JSON', async () => {
    const { once } = makeWorld();
    const act = async () => ({ ok: true, reason: undefined });
    const both = [await once('r1.storage.1', act), await once('r1.storage.1', act)];
    expect(both.map((outcome) => Object.keys(outcome))).toEqual([['ok'], ['ok']]);
  });
});
