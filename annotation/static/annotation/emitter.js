/** The smallest publish–subscribe that the state modules share; no DOM, so that they run under node. */

/** @returns {{on(type: string, fn: (detail: any) => void): () => void, emit(type: string, detail?: any): void}} */
export function createEmitter() {
  const listeners = new Map();
  return {
    on(type, fn) {
      if (!listeners.has(type)) listeners.set(type, new Set());
      listeners.get(type).add(fn);
      return () => listeners.get(type).delete(fn);
    },
    emit(type, detail) {
      for (const fn of listeners.get(type) ?? []) fn(detail);
    },
  };
}
