// One line of progress on a terminal, rewritten in place; nothing elsewhere.

/** Call with a text to show it, without one to end the line. */
export function progressLine(shown: boolean, name: string): (text?: string) => void {
  if (!shown) return () => {};
  let lastMs = 0;
  return (text) => {
    if (text === undefined) {
      process.stderr.write(lastMs === 0 ? '' : '\n');
      return;
    }
    const nowMs = Date.now();
    if (nowMs - lastMs < 200) return;
    lastMs = nowMs;
    process.stderr.write(`\r\u001b[K${name}: ${text}`);
  };
}
