/** The package has types but its `exports` hide them from NodeNext: these are those of the functions that we call. */
declare module 'cephes' {
  /** Resolves once the WebAssembly is ready; no function may be called before. */
  export const compiled: Promise<void>;
  /** Regularised incomplete beta function I_x(a, b). */
  export function incbet(a: number, b: number, x: number): number;
  /** The x at which incbet(a, b, x) is y. */
  export function incbi(a: number, b: number, y: number): number;
  /** The x that χ² with df degrees of freedom passes with probability y. */
  export function chdtri(df: number, y: number): number;
  /** Distribution function of the standard normal. */
  export function ndtr(x: number): number;
}
