;; How far from one octet on everything is WebSocket frames of a pod with one plain MESSAGE in each: frame-runs.ts says what that is and lays out the
;; memory. `node tools/run.mjs tools/frame-runs.ts` makes frame-runs-code.ts of this.
;;
;; Sixteen octets are looked at together. They may reach behind the end of the frame, or of what was read, which is memory too: whatever is found there,
;; the frame ends with the end of its body or not at all, and that has to lie within it.
(module
  (import "proxy" "memory" (memory 2 2))
  ;; Bounds of one frame, as a Glance has them.
  (import "proxy" "frameMaxBytes" (global $frameMaxBytes i32))
  (import "proxy" "headersMaxBytes" (global $headersMaxBytes i32))
  (import "proxy" "headersMax" (global $headersMax i32))
  ;; Where 256 octets are, by the first octet of a header line: 0 nothing special, 1 ends the run, 2 may be content-length.
  (import "proxy" "beginnings" (global $beginnings i32))
  ;; Where the number of frames is put.
  (import "proxy" "frames" (global $frames i32))

  ;; Which of sixteen octets are LF, CR, NUL or a backslash: a value ends there, or is not the same in every version.
  (func $value_ends (param $octets v128) (result v128)
    (v128.or
      (v128.or
        (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 10)))
        (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 13))))
      (v128.or
        (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 0)))
        (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 92))))))

  ;; Where the value ends that goes on at `at`; `to` or more: it does not.
  (func $value_end (param $at i32) (param $to i32) (result i32)
    (local $found i32)
    (loop $next
      (local.set $found (i8x16.bitmask (call $value_ends (v128.load (local.get $at)))))
      (if (local.get $found) (then (return (i32.add (local.get $at) (i32.ctz (local.get $found))))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $to))))
    (local.get $to))

  ;; The first NUL; `to` or more: there is none.
  (func $body_end (param $at i32) (param $to i32) (result i32)
    (local $found i32)
    (loop $next
      (local.set $found (i8x16.bitmask (i8x16.eq (v128.load (local.get $at)) (i8x16.splat (i32.const 0)))))
      (if (local.get $found) (then (return (i32.add (local.get $at) (i32.ctz (local.get $found))))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $to))))
    (local.get $to))

  (func $begins_content_length (param $at i32) (result i32)
    (i32.eq
      (i32.const 0x7fff)
      (i32.and
        (i32.const 0x7fff)
        (i8x16.bitmask
          (i8x16.eq
            (v128.load (local.get $at))
            ;; "content-length:", and an octet that does not count.
            (v128.const i8x16 99 111 110 116 101 110 116 45 108 101 110 103 116 104 58 0))))))

  ;; The number of at most nine digits before an LF; -1: something else is there.
  (func $digits (param $at i32) (result i32)
    (local $from i32) (local $digit i32) (local $number i32)
    (local.set $from (local.get $at))
    (block $end
      (loop $next
        (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
        (br_if $end (i32.gt_u (local.get $digit) (i32.const 9)))
        (local.set $number (i32.add (i32.mul (local.get $number) (i32.const 10)) (local.get $digit)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $next (i32.lt_u (i32.sub (local.get $at) (local.get $from)) (i32.const 9)))))
    (if (result i32)
      (i32.and
        (i32.eq (i32.load8_u (local.get $at)) (i32.const 10))
        (i32.ne (local.get $at) (local.get $from)))
      (then (local.get $number))
      (else (i32.const -1))))

  ;; Where the first octet is that belongs to no frame of the run.
  (func (export "endOf") (param $at i32) (param $end i32) (result i32)
    (local $count i32) (local $octet i32) (local $length i32) (local $payload i32) (local $to i32)
    (local $line i32) (local $headers i32) (local $bodyLength i32) (local $block i32) (local $stop i32)
    (local $octets v128) (local $valueEnds v128) (local $found i32)
    (block $done
      (loop $frame
        ;; Text or binary, the only frame of its message.
        (local.set $octet (i32.load8_u (local.get $at)))
        (br_if $done
          (i32.and (i32.ne (local.get $octet) (i32.const 0x81)) (i32.ne (local.get $octet) (i32.const 0x82))))
        ;; Not masked, and a length of at most 16 bits.
        (local.set $length (i32.load8_u offset=1 (local.get $at)))
        (br_if $done (i32.gt_u (local.get $length) (i32.const 126)))
        (local.set $payload (i32.add (local.get $at) (i32.const 2)))
        (if (i32.eq (local.get $length) (i32.const 126))
          (then
            (local.set $length
              (i32.or
                (i32.shl (i32.load8_u offset=2 (local.get $at)) (i32.const 8))
                (i32.load8_u offset=3 (local.get $at))))
            (local.set $payload (i32.add (local.get $at) (i32.const 4)))))
        (local.set $to (i32.add (local.get $payload) (local.get $length)))
        (br_if $done (i32.gt_u (local.get $to) (local.get $end)))
        (br_if $done (i32.gt_u (local.get $length) (global.get $frameMaxBytes)))
        ;; "MESSAGE" and LF.
        (br_if $done (i64.ne (i64.load align=1 (local.get $payload)) (i64.const 0x0a4547415353454d)))
        (local.set $line (i32.add (local.get $payload) (i32.const 8)))
        (local.set $headers (i32.const 0))
        (local.set $bodyLength (i32.const -1))
        (block $body
          (loop $header
            (local.set $octet (i32.load8_u (local.get $line)))
            (br_if $body (i32.eq (local.get $octet) (i32.const 10)))
            (local.set $octet (i32.load8_u (i32.add (global.get $beginnings) (local.get $octet))))
            (if (local.get $octet)
              (then
                (br_if $done (i32.eq (local.get $octet) (i32.const 1)))
                (if (call $begins_content_length (local.get $line))
                  (then
                    (br_if $done (i32.ne (local.get $bodyLength) (i32.const -1)))
                    (local.set $bodyLength (call $digits (i32.add (local.get $line) (i32.const 15))))
                    (br_if $done (i32.eq (local.get $bodyLength) (i32.const -1)))))))
            ;; The name ends where a value would, or at a colon, and only that may be; nor may there be a blank before it.
            (local.set $block (local.get $line))
            (loop $next
              (local.set $octets (v128.load (local.get $block)))
              (local.set $valueEnds (call $value_ends (local.get $octets)))
              (local.set $found
                (i8x16.bitmask
                  (v128.or (local.get $valueEnds) (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 58))))))
              (if (i32.eqz (local.get $found))
                (then
                  (local.set $block (i32.add (local.get $block) (i32.const 16)))
                  (br_if $done (i32.ge_u (local.get $block) (local.get $to)))
                  (br $next))))
            (local.set $found (i32.ctz (local.get $found)))
            (local.set $stop (i32.add (local.get $block) (local.get $found)))
            (br_if $done (i32.ne (i32.load8_u (local.get $stop)) (i32.const 58)))
            (local.set $octet (i32.load8_u (i32.sub (local.get $stop) (i32.const 1))))
            (br_if $done
              (i32.or (i32.eq (local.get $octet) (i32.const 32)) (i32.eq (local.get $octet) (i32.const 9))))
            ;; The value ends among the same sixteen octets or behind them, and only by LF.
            (local.set $found (i32.shr_u (i8x16.bitmask (local.get $valueEnds)) (local.get $found)))
            (local.set $stop
              (if (result i32) (local.get $found)
                (then (i32.add (local.get $stop) (i32.ctz (local.get $found))))
                (else (call $value_end (i32.add (local.get $block) (i32.const 16)) (local.get $to)))))
            (br_if $done (i32.ge_u (local.get $stop) (local.get $to)))
            (br_if $done (i32.ne (i32.load8_u (local.get $stop)) (i32.const 10)))
            (local.set $line (i32.add (local.get $stop) (i32.const 1)))
            (local.set $headers (i32.add (local.get $headers) (i32.const 1)))
            (br_if $header (i32.le_u (local.get $headers) (global.get $headersMax))))
          (br $done))
        (br_if $done
          (i32.gt_u
            (i32.sub (local.get $line) (local.get $payload))
            (i32.add (global.get $headersMaxBytes) (i32.const 8))))
        ;; The body ends with the only NUL that can end it, and nothing but line ends are behind that.
        (local.set $line (i32.add (local.get $line) (i32.const 1)))
        (local.set $stop
          (if (result i32) (i32.eq (local.get $bodyLength) (i32.const -1))
            (then (call $body_end (local.get $line) (local.get $to)))
            (else (i32.add (local.get $line) (local.get $bodyLength)))))
        (br_if $done (i32.ge_u (local.get $stop) (local.get $to)))
        (br_if $done (i32.load8_u (local.get $stop)))
        (loop $behind
          (local.set $stop (i32.add (local.get $stop) (i32.const 1)))
          (if (i32.lt_u (local.get $stop) (local.get $to))
            (then
              (local.set $octet (i32.load8_u (local.get $stop)))
              (br_if $behind
                (i32.or (i32.eq (local.get $octet) (i32.const 10)) (i32.eq (local.get $octet) (i32.const 13))))
              (br $done))))
        (local.set $at (local.get $to))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br $frame)))
    (i32.store (global.get $frames) (local.get $count))
    (local.get $at)))
