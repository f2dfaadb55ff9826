/** Runs `task` as the next macrotask, after timers and messages that are due. */
export type NextTask = (task: () => void) => void;

/**
 * What setImmediate is, for workers: setTimeout will not do, browsers hold nested ones back for 4 ms. In Node it is setImmediate itself, for
 * Node hands out up to a thousand messages of a port before anything else has its turn.
 */
export function nextTask(): NextTask {
  const immediate = (globalThis as { setImmediate?: (task: () => void) => void }).setImmediate;
  if (immediate) return (task) => void immediate(task);
  const { port1, port2 } = new MessageChannel();
  const tasks: (() => void)[] = [];
  port1.onmessage = () => tasks.shift()?.();
  return (task) => {
    tasks.push(task);
    port2.postMessage(0);
  };
}
