/** The four lanes of a vector among themselves. */

@inline
export function sumOf(lanes: v128): f32 {
  const low = f32x4.extract_lane(lanes, 0) + f32x4.extract_lane(lanes, 1);
  return low + (f32x4.extract_lane(lanes, 2) + f32x4.extract_lane(lanes, 3));
}

@inline
export function largest(lanes: v128): f32 {
  const low = max(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1));
  return max(low, max(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)));
}

/** Lanes 0 and 1 of two vectors, in turn. */
@inline
export function low(one: v128, other: v128): v128 {
  return v128.shuffle<i32>(one, other, 0, 4, 1, 5);
}

/** Lanes 2 and 3 of two vectors, in turn. */
@inline
export function high(one: v128, other: v128): v128 {
  return v128.shuffle<i32>(one, other, 2, 6, 3, 7);
}

/** The first halves of two vectors. */
@inline
export function firsts(one: v128, other: v128): v128 {
  return v128.shuffle<i64>(one, other, 0, 2);
}

/** The second halves of two vectors. */
@inline
export function seconds(one: v128, other: v128): v128 {
  return v128.shuffle<i64>(one, other, 1, 3);
}
