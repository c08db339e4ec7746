// The Python programs of this folder, as text. CMake puts values.py, rewrite.py, plan.py and child.py into scripts.cpp.
#pragma once

#include <string>

namespace reward::code {

const std::string& plan_script();   // main.py of a planner's job: values.py, rewrite.py and plan.py
const std::string& child_script();  // main.py of a candidate's job: values.py and child.py

}  // namespace reward::code
