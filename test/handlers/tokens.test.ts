import fc from 'fast-check';
import { tokenOf } from '../../handlers/aws/tokens';

const KEY = 'r1.storage-mjuohs00.1';
const stack = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,127}$/);
/** Keys as handlers make them: the longest run id, an effect and a try. */
const key = fc
  .tuple(
    fc.stringMatching(/^[a-z0-9-]{1,40}$/),
    fc.constantFrom('storage-mjuohs00', 'storage-zzzzzzzz', 'link-scratch', 'export'),
    fc.integer({ min: 1, max: 99_999 }),
  )
  .map((parts) => parts.join('.'));

describe('the client token of an effect', () => {
  it('is its key, and what tells this stack’s from another’s', () => {
    expect(tokenOf('ebbtide', KEY)).toMatch(/^r1\.storage-mjuohs00\.1\.[0-9a-f]{14}$/);
  });

  it('is the same at every try of the same call', () => {
    fc.assert(
      fc.property(stack, key, (whose, what) => {
        expect(tokenOf(whose, what)).toBe(tokenOf(whose, what));
      }),
    );
  });

  it('is taken by FSx and EC2: 63 characters at most, of those that both know', () => {
    fc.assert(
      fc.property(stack, key, (whose, what) => {
        expect(tokenOf(whose, what)).toMatch(/^[A-Za-z0-9_.-]{1,63}$/);
      }),
    );
  });

  it('is another one in another stack', () => {
    fc.assert(
      fc.property(stack, stack, key, (one, other, what) => {
        expect(tokenOf(one, what) === tokenOf(other, what)).toBe(one === other);
      }),
    );
  });

  it('is another one for another key, also where they differ only beyond what fits', () => {
    fc.assert(
      fc.property(stack, key, key, (whose, one, other) => {
        expect(tokenOf(whose, one) === tokenOf(whose, other)).toBe(one === other);
      }),
    );
    const long = `${'r'.repeat(40)}.storage-mjuohs00`;
    const tokens = [1, 2, 3].map((count) => tokenOf('ebbtide', `${long}.${count}`));
    expect([new Set(tokens).size, tokens.map(({ length }) => length)]).toEqual([3, [63, 63, 63]]);
  });
});
