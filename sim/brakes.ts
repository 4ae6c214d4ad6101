import type { Brake, Brakes, PortName } from '../handlers';

/** The twin of what the table remembers of AWS's throttling. */
export function memoryBrakes(): Brakes {
  const brakes = new Map<PortName, Brake>();
  return {
    read: async (port) => brakes.get(port),
    set: async (port, brake) => void brakes.set(port, brake),
  };
}
