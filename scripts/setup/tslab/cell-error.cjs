/** What a cell shows of an error: its message, and its place in the cell, without the kernel's frames. */

/** @param {unknown} error what a cell threw */
function cellError(error) {
  if (!(error instanceof Error)) return String(error);
  // tslab's word for it, and Node's for a cell that never waited
  const interrupted =
    error.message === 'Interrupted asynchronously' || error.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
  if (interrupted) return 'Interrupted.';
  if (error.name === 'InputError') return error.message;
  // Without the virtual machine and all below it.
  return (error.stack ?? String(error)).replace(/\n *at [^\n]*\(node:vm:[^]*$/, '');
}

/**
 * console.error for tslab, which passes a cell's error as the only argument and would print a dozen of its own frames.
 * @param {(...values: unknown[]) => void} print
 */
function briefly(print) {
  return (...values) => {
    const [error] = values;
    print(...(values.length === 1 && error instanceof Error ? [cellError(error)] : values));
  };
}

module.exports = { briefly, cellError };
