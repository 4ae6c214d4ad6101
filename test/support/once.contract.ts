import type { Once } from '../../handlers';

/** A memory of acts, and the time it lives in. */
export interface OnceWorld {
  readonly once: Once;
  /** Lets time pass, or waits for it. */
  advance(ms: number): Promise<void>;
  /** How long an act that never ends keeps others out. */
  readonly lockedMs: number;
}

/** What must be true of acts that are made once, whoever remembers them. */
export function onceContract(name: string, makeWorld: () => Promise<OnceWorld> | OnceWorld): void {
  /** An act that counts how often it is made. */
  function counting<Outcome>(outcome: Outcome) {
    const count = { acts: 0 };
    const act = async () => {
      count.acts += 1;
      return outcome;
    };
    return { act, count };
  }
  const never = () => new Promise<never>(() => {});

  describe(`${name} remembers an act`, () => {
    it('so that it is made once', async () => {
      const { once } = await makeWorld();
      const { act, count } = counting('done');
      await once('r1.storage.1', act);
      await once('r1.storage.1', act);
      expect(count.acts).toBe(1);
    });

    it.each([
      [{ ok: true, volumeId: 'vol-1', zone: 'us-east-1a' }],
      [{ ok: 'unknown', reason: 'timed out', list: [1, 'two', null, { three: [] }] }],
      ['vol-1'],
      [0],
      [false],
      [null],
    ])('with its outcome %j', async (outcome) => {
      const { once } = await makeWorld();
      const { act } = counting<unknown>(outcome);
      const first = await once('r1.storage.1', act);
      expect([first, await once('r1.storage.1', act)]).toEqual([outcome, outcome]);
    });

    it('as a copy: who changes an outcome changes nobody else’s', async () => {
      const { once } = await makeWorld();
      const { act } = counting({ list: [1] });
      const first = await once('r1.storage.1', act);
      first.list.push(2);
      expect(await once('r1.storage.1', act)).toEqual({ list: [1] });
    });

    it('under its own key only', async () => {
      const { once } = await makeWorld();
      await once('r1.storage.1', counting('one').act);
      expect(await once('r1.storage.2', counting('two').act)).toBe('two');
    });

    it('for longer than a day on the bus and six hours in a queue', async () => {
      const { once, advance } = await makeWorld();
      const { act, count } = counting('done');
      await once('r1.storage.1', act);
      await advance(30 * 3_600_000);
      await once('r1.storage.1', act);
      expect(count.acts).toBe(1);
    });
  });

  describe(`${name} keeps others out`, () => {
    it('while an act is under way', async () => {
      const { once } = await makeWorld();
      const { act, count } = counting('second');
      await new Promise<void>((begun) => {
        void once('r1.storage.1', () => {
          begun();
          return never();
        });
      });
      await expect(once('r1.storage.1', act)).rejects.toThrow();
      expect(count.acts).toBe(0);
    });

    it('of an act that never ended, until its time is over', async () => {
      const { once, advance, lockedMs } = await makeWorld();
      void once('r1.storage.1', never);
      await advance(lockedMs - 1000);
      await expect(once('r1.storage.1', counting('early').act)).rejects.toThrow();
    });

    it('no longer than that: then another one acts', async () => {
      const { once, advance, lockedMs } = await makeWorld();
      void once('r1.storage.1', never);
      await advance(lockedMs + 1000);
      expect(await once('r1.storage.1', counting('second').act)).toBe('second');
    });
  });

  describe(`${name} forgets an act`, () => {
    const surprise = async () => {
      throw new Error('throttled');
    };

    it('that threw, and hands on what it threw', async () => {
      const { once } = await makeWorld();
      await expect(once('r1.storage.1', surprise)).rejects.toThrow('throttled');
    });

    it('that threw, so that it is made again at once', async () => {
      const { once } = await makeWorld();
      await once('r1.storage.1', surprise).catch(() => {});
      expect(await once('r1.storage.1', counting('second').act)).toBe('second');
    });
  });
}
