/// <reference path="./cephes.d.ts" />
import { chdtri, compiled, incbet, incbi, ndtr } from 'cephes';

// The package compiles its WebAssembly in the background: whoever imports this file waits for it, once.
await compiled;

/**
 * P(T ≤ t) of Student's t with `df` > 0 degrees of freedom, whole or not. Abramowitz & Stegun 26.7.1 and 26.5.27; near the middle by the
 * complement, because df / (df + t²) is 1 there but for digits that are lost.
 */
export function tCdf(t: number, df: number): number {
  const square = t * t;
  const outside =
    square < 1 ? 1 - incbet(0.5, df / 2, square / (df + square)) : incbet(df / 2, 0.5, df / (df + square));
  return t > 0 ? 1 - outside / 2 : outside / 2;
}

/** The t with P(T ≤ t) = p, for 0 < p < 1: the inverse of `tCdf`, with the same two branches. */
export function tQuantile(p: number, df: number): number {
  const outside = 2 * Math.min(p, 1 - p);
  const sign = Math.sign(p - 0.5);
  if (outside > 0.1) {
    const y = incbi(0.5, df / 2, 1 - outside);
    return sign * Math.sqrt((df * y) / (1 - y));
  }
  const x = incbi(df / 2, 0.5, outside);
  return sign * Math.sqrt(df * (1 / x - 1));
}

/** The x with P(X ≤ x) = p for χ² with `df` > 0 degrees of freedom, whole or not. */
export const chiSquareQuantile = (p: number, df: number): number => chdtri(df, 1 - p);

export const normalCdf = (x: number): number => ndtr(x);

export const normalPdf = (x: number): number => Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI);
