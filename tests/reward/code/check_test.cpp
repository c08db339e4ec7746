#include "reward/code/check.h"

#include "tests/support/catch.h"

using namespace reward::code;
using Op = Check::Op;

namespace {

Value value(const std::string& text) { return read_value(text).value(); }

Check constant(const std::string& text) {
  Check check;
  check.op = Op::constant;
  check.constant = value(text);
  return check;
}
Check constant(double number) {
  Check check;
  check.op = Op::constant;
  check.constant = real(number);
  return check;
}
Check call() {
  Check check;
  check.op = Op::call;
  return check;
}
Check make(Op op, std::vector<Check> arguments) {
  Check check;
  check.op = op;
  check.arguments = std::move(arguments);
  return check;
}
Settled with(const Check& check, const Value& result) { return settle(check, {result}); }

}  // namespace

TEST_CASE("abs(f(x) - 0.33) < 1e-6 holds nearby only, and never for nan, text or nothing", "[check]") {
  const auto check = make(Op::lt, {make(Op::abs, {make(Op::sub, {call(), constant(0.33)})}), constant(1e-6)});
  CHECK(with(check, real(0.33)) == Settled::holds);
  CHECK(with(check, real(0.3300005)) == Settled::holds);
  CHECK(with(check, real(0.330002)) == Settled::fails);
  CHECK(with(check, integer(0)) == Settled::fails);
  CHECK(with(check, value("f7ff8000000000000;")) != Settled::holds);
  CHECK(with(check, value("s302e3333;")) == Settled::unknown);  // Python raises TypeError
  CHECK(with(check, value("N")) == Settled::unknown);
  CHECK(with(check, value("i" + std::string(400, 'f') + ";")) == Settled::unknown);
  CHECK(with(check, value("u61;")) == Settled::fails);
}

TEST_CASE("set, sorted and tuple look at what came back", "[check]") {
  const auto set = make(Op::eq, {make(Op::set, {call()}), constant("{i4;i5;}")});
  CHECK(with(set, value("(i5;i4;)")) == Settled::holds);
  CHECK(with(set, value("[i5;i4;i4;T]")) == Settled::fails);
  CHECK(with(set, value("[i5;i4;i4;]")) == Settled::holds);
  CHECK(with(set, value("[[i4;]i5;]")) == Settled::unknown);  // unhashable
  const auto sorted = make(Op::eq, {make(Op::sorted, {call()}), constant("[i1;i2;i3;]")});
  CHECK(with(sorted, value("[i3;i1;i2;]")) == Settled::holds);
  CHECK(with(sorted, value("{i3;i1;i2;}")) == Settled::holds);
  CHECK(with(sorted, value("[i3;i1;]")) == Settled::fails);
  CHECK(with(sorted, value("[i3;s61;]")) == Settled::unknown);
  CHECK(with(sorted, value("[i3;f7ff8000000000000;i1;]")) == Settled::unknown);
  const auto tuple = make(Op::eq, {make(Op::tuple, {call()}), constant("(i1;i2;)")});
  CHECK(with(tuple, value("[i1;i2;]")) == Settled::holds);
  CHECK(with(tuple, value("{i1;i2;}")) == Settled::unknown);
  const auto len = make(Op::eq, {make(Op::len, {call()}), constant("i2;")});
  CHECK(with(len, value("ds61;i1;s62;i2;;")) == Settled::holds);
  CHECK(with(len, value("[i1;]")) == Settled::fails);
}

TEST_CASE("is True wants True itself", "[check]") {
  const auto is_true = make(Op::is, {call(), constant("T")});
  CHECK(with(is_true, value("T")) == Settled::holds);
  CHECK(with(is_true, value("i1;")) == Settled::fails);
  CHECK(with(is_true, value("F")) == Settled::fails);
  CHECK(with(make(Op::is, {call(), constant("N")}), value("N")) == Settled::holds);
  CHECK(with(make(Op::is, {call(), constant("N")}), value("F")) == Settled::fails);
  CHECK(with(make(Op::is_not, {call(), constant("N")}), value("i0;")) == Settled::holds);
  CHECK(with(make(Op::is, {call(), constant("i7;")}), value("i7;")) == Settled::unknown);
  CHECK(with(make(Op::eq, {call(), constant("T")}), value("i1;")) == Settled::holds);
}

TEST_CASE("isclose is math.isclose", "[check]") {
  const auto check = make(Op::isclose, {call(), constant(100), constant(0.001), constant(0.0)});
  // |a - 100| <= 0.001 * max(|a|, 100)
  CHECK(with(check, real(100.1)) == Settled::holds);
  CHECK(with(check, real(100.2)) == Settled::fails);
  CHECK(with(check, real(99.9)) == Settled::holds);
  CHECK(with(check, value("f7ff0000000000000;")) == Settled::fails);
  CHECK(with(check, value("f7ff8000000000000;")) == Settled::fails);
  CHECK(with(check, value("[]")) == Settled::unknown);
}

TEST_CASE("and, or, not and in mean what they mean in Python", "[check]") {
  const auto one = make(Op::eq, {call(), constant("i1;")}), two = make(Op::eq, {call(), constant("i2;")});
  CHECK(with(make(Op::both, {one, two}), integer(1)) == Settled::fails);
  CHECK(with(make(Op::either, {one, two}), integer(2)) == Settled::holds);
  CHECK(with(make(Op::either, {one, two}), integer(3)) == Settled::fails);
  CHECK(with(make(Op::negate, {call()}), value("s;")) == Settled::holds);
  CHECK(with(make(Op::negate, {call()}), value("u61;")) == Settled::fails);  // `assert not f(x)` is no present
  CHECK(with(make(Op::in, {call(), constant("[i1;i2;]")}), integer(2)) == Settled::holds);
  CHECK(with(make(Op::not_in, {call(), constant("[i1;i2;]")}), integer(2)) == Settled::fails);
  CHECK(with(make(Op::ne, {call(), constant("i3;")}), value("e61;")) == Settled::fails);
  CHECK(with(Check{}, integer(1)) == Settled::unknown);
}

TEST_CASE("raises knows the exception and those it derives from", "[check]") {
  Check check;
  check.op = Op::raises;
  check.kinds = {"ValueError", "LookupError"};
  Value raised;
  raised.kind = Value::Kind::raised;
  raised.text = "KeyError LookupError Exception BaseException object";
  CHECK(with(check, raised) == Settled::holds);
  raised.text = "MyValueError Exception";
  CHECK(with(check, raised) == Settled::fails);
  CHECK(with(check, integer(1)) == Settled::fails);
}

TEST_CASE("whole numbers are subtracted exactly or not at all", "[check]") {
  // 2^52 - 1 fits a double; 2^53 + 1 does not.
  const auto gap = make(Op::eq, {make(Op::sub, {call(), constant("ifffffffffffff;")}), constant("i0;")});
  CHECK(with(gap, value("ifffffffffffff;")) == Settled::holds);
  CHECK(with(gap, value("i20000000000001;")) == Settled::unknown);
}
