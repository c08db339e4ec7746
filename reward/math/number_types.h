// FLINT's and Arb's numbers as C++ values: made, copied, moved and freed by themselves. No raw init or clear elsewhere.
//
// Each converts to the pointer that the C functions take, so fmpq_add(sum, a, b) reads as in their manuals. FLINT aborts
// the program on a division by zero and on memory it cannot get, so callers test for both before each call. A value stays
// on the thread that made it: the libraries keep their pools and constants per thread.
#pragma once

#include <acb.h>
#include <arb.h>
#include <flint/fmpq.h>
#include <flint/fmpq_mpoly.h>
#include <flint/fmpz.h>

#include <cstdint>
#include <utility>

namespace reward::math {

class Integer {
 public:
  explicit Integer(int64_t value = 0) { fmpz_init_set_si(v_, value); }
  Integer(const Integer& other) { fmpz_init_set(v_, other.v_); }
  Integer(Integer&& other) noexcept { fmpz_init(v_), fmpz_swap(v_, other.v_); }
  Integer& operator=(Integer other) noexcept { return fmpz_swap(v_, other.v_), *this; }
  ~Integer() { fmpz_clear(v_); }
  operator fmpz*() { return v_; }
  operator const fmpz*() const { return v_; }

 private:
  fmpz_t v_;
};

class Rational {
 public:
  explicit Rational(int64_t value = 0) { fmpq_init(v_), fmpq_set_si(v_, value, 1); }
  Rational(const Rational& other) { fmpq_init(v_), fmpq_set(v_, other.v_); }
  Rational(Rational&& other) noexcept { fmpq_init(v_), fmpq_swap(v_, other.v_); }
  Rational& operator=(Rational other) noexcept { return fmpq_swap(v_, other.v_), *this; }
  ~Rational() { fmpq_clear(v_); }
  operator fmpq*() { return v_; }
  operator const fmpq*() const { return v_; }
  fmpz* num() { return fmpq_numref(v_); }
  const fmpz* num() const { return fmpq_numref(v_); }
  fmpz* den() { return fmpq_denref(v_); }
  const fmpz* den() const { return fmpq_denref(v_); }
  bool is_integer() const { return fmpz_is_one(den()); }
  bool is_zero() const { return fmpq_is_zero(v_); }
  int sign() const { return fmpq_sgn(v_); }
  int64_t bits() const { return static_cast<int64_t>(fmpz_bits(num()) + fmpz_bits(den())); }

 private:
  fmpq_t v_;
};

class RealBall {
 public:
  RealBall() { arb_init(v_); }
  RealBall(const RealBall& other) { arb_init(v_), arb_set(v_, other.v_); }
  RealBall(RealBall&& other) noexcept { arb_init(v_), arb_swap(v_, other.v_); }
  RealBall& operator=(RealBall other) noexcept { return arb_swap(v_, other.v_), *this; }
  ~RealBall() { arb_clear(v_); }
  operator arb_ptr() { return v_; }
  operator arb_srcptr() const { return v_; }

 private:
  arb_t v_;
};

class ComplexBall {
 public:
  ComplexBall() { acb_init(v_); }
  ComplexBall(const ComplexBall& other) { acb_init(v_), acb_set(v_, other.v_); }
  ComplexBall(ComplexBall&& other) noexcept { acb_init(v_), acb_swap(v_, other.v_); }
  ComplexBall& operator=(ComplexBall other) noexcept { return acb_swap(v_, other.v_), *this; }
  ~ComplexBall() { acb_clear(v_); }
  operator acb_ptr() { return v_; }
  operator acb_srcptr() const { return v_; }
  arb_ptr real() { return acb_realref(v_); }
  arb_srcptr real() const { return acb_realref(v_); }
  arb_ptr imag() { return acb_imagref(v_); }
  arb_srcptr imag() const { return acb_imagref(v_); }

 private:
  acb_t v_;
};

// An upper or lower bound of a magnitude.
class Magnitude {
 public:
  Magnitude() { mag_init(v_); }
  Magnitude(const Magnitude&) = delete;
  Magnitude& operator=(const Magnitude&) = delete;
  ~Magnitude() { mag_clear(v_); }
  operator mag_ptr() { return v_; }
  operator mag_srcptr() const { return v_; }

 private:
  mag_t v_;
};

// Polynomials over Q in a fixed number of variables.
class PolyRing {
 public:
  explicit PolyRing(int64_t variables) { fmpq_mpoly_ctx_init(v_, variables, ORD_LEX); }
  PolyRing(const PolyRing&) = delete;
  PolyRing& operator=(const PolyRing&) = delete;
  ~PolyRing() { fmpq_mpoly_ctx_clear(v_); }
  operator const fmpq_mpoly_ctx_struct*() const { return v_; }
  int64_t variables() const { return fmpq_mpoly_ctx_nvars(v_); }

 private:
  fmpq_mpoly_ctx_t v_;
};

// Lives no longer than its ring.
class Poly {
 public:
  explicit Poly(const PolyRing& ring) : ring_(&ring) { fmpq_mpoly_init(v_, ring); }
  Poly(const Poly& other) : Poly(*other.ring_) { fmpq_mpoly_set(v_, other.v_, *ring_); }
  Poly(Poly&& other) noexcept : Poly(*other.ring_) { fmpq_mpoly_swap(v_, other.v_, *ring_); }
  Poly& operator=(Poly other) noexcept { return fmpq_mpoly_swap(v_, other.v_, *ring_), *this; }
  ~Poly() { fmpq_mpoly_clear(v_, *ring_); }
  operator fmpq_mpoly_struct*() { return v_; }
  operator const fmpq_mpoly_struct*() const { return v_; }
  const PolyRing& ring() const { return *ring_; }
  int64_t terms() const { return fmpq_mpoly_length(v_, *ring_); }
  bool is_zero() const { return fmpq_mpoly_is_zero(v_, *ring_); }
  bool is_constant() const { return fmpq_mpoly_is_fmpq(v_, *ring_); }
  int64_t coefficient_bits() const {  // of the widest, an upper bound
    const auto wide = fmpz_mpoly_max_bits(v_->zpoly);
    return (wide < 0 ? -wide : wide) + static_cast<int64_t>(fmpz_bits(fmpq_numref(v_->content)) +
                                                            fmpz_bits(fmpq_denref(v_->content)));
  }

 private:
  fmpq_mpoly_t v_;
  const PolyRing* ring_;
};

// Frees the calling thread's pools and cached constants of FLINT and Arb when the thread ends. Cheap; call at entry.
inline void clean_up_at_thread_end() {
  struct Cleaner {
    ~Cleaner() { flint_cleanup(); }
  };
  thread_local Cleaner cleaner;
  (void)cleaner;
}

}  // namespace reward::math
