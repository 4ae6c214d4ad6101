/** Goes on without what failed, and keeps the errors for the end. */
export interface Failures {
  readonly errors: readonly Error[];
  /** What `go` gives, or what there is in its place where it fails for this reason. */
  or<Value>(
    instead: (reason: string) => Value,
    what: string,
    go: () => Promise<Value>,
  ): Promise<Value>;
}

/** Nothing has failed so far. */
export function newFailures(): Failures {
  const errors: Error[] = [];
  return {
    errors,
    async or(instead, what, go) {
      try {
        return await go();
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        errors.push(new Error(`could not ${what}: ${reason}`, { cause }));
        return instead(reason);
      }
    },
  };
}
